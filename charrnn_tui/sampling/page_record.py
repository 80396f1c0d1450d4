"""Until its last caller is renamed."""

from charrnn_tui.sampling.text_record import text_record as page_record

__all__ = ["page_record"]

"""The line under the text: its length, its nats per character, the speed, and what is going on."""

from charrnn_tui.playground.writer import Writer
from charrnn_tui.run.quantities import per_char


def status_of(writer: Writer, waiting_for: str) -> str:
    """Such as `writing · 213 chars · 1.19 nats/char (1.71 bits) · 5,090 chars/s`. waiting_for: may be empty."""
    stopped = "page full" if writer.resting else "stopped"
    doing = "writing" if writer.writing else f"{stopped}, press g to continue"
    parts = [waiting_for or ("" if writer.sampler is None else doing)]
    if writer.count:
        parts += [f"{writer.count:,} chars", per_char(writer.nats_per_char)]
        if writer.chars_per_second:
            parts.append(f"{writer.chars_per_second:,.0f} chars/s")
    return " · ".join(filter(None, parts))

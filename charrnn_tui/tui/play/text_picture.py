"""A text as the playground shows it, all of it, as an SVG picture."""

import io
import re
from typing import Final

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.segment import Segment, Segments
from rich.terminal_theme import TerminalTheme

from charrnn_tui.tui.textview.text_view import TextView
from charrnn_tui.tui.textview.visible import visible

# Rich's own asks the network for a font at every look; the reader's own monospaced one does.
_FORMAT: Final = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def text_picture(view: TextView, title: str, legend: TextView | None = None) -> str:
    """SVG of every row, wrapped as on the screen, with prime, marks and colours as they are there; the legend below."""
    background, text = view.background_colors[1].rgb, view.rich_style.color
    plain = tuple(text.get_truecolor()) if text is not None else (0, 0, 0)
    theme = TerminalTheme(background, (plain[0], plain[1], plain[2]), [(0, 0, 0)] * 8)
    width = max(20, view.text_area_size.width)
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    below = [[], *legend.painted_rows()] if legend is not None else []
    for segments in [*view.painted_rows(), *below]:
        console.print(Segments([*segments, Segment.line()]), end="", soft_wrap=True)
    return console.export_svg(title=visible(title), theme=theme, code_format=_FORMAT)

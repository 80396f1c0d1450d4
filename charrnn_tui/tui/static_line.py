"""A line that is sent to the terminal only when it has changed."""

from collections.abc import Sequence

from textual.widgets import Static

from charrnn_tui.tui.textview.visible import visible


def show_line(line: Static, text: str, *, layout: bool = False) -> None:
    """Show this text, made visible. layout: whether it may need another number of rows."""
    if line.content != (text := visible(text)):
        line.update(text, layout=layout)


def longest_fitting(lines: Sequence[str], width: int) -> str:
    """The longest of the lines that fits into so many cells, or the first one."""
    return max((line for line in lines if len(line) <= width), key=len, default=lines[0])

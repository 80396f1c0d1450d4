"""A line that is sent to the terminal only when it has changed."""

from textual.widgets import Static

from charrnn_tui.tui.textview.visible import visible


def show_line(line: Static, text: str, *, layout: bool = False) -> None:
    """Show this text, made visible. layout: whether it may need another number of rows."""
    if line.content != (text := visible(text)):
        line.update(text, layout=layout)

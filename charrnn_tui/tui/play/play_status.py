"""The line under the text: its length, its bits per character, the speed, and what is going on."""

from textual.widgets import Static

from charrnn_tui.playground.writer import Writer
from charrnn_tui.tui.textview.visible import visible


class PlayStatus(Static):
    """Repainted only when its text changes."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._shown = ""

    def show(self, status: str, *, problem: bool = False) -> None:
        """Show this line; raw characters in it are made visible."""
        if status != self._shown:
            self._shown = status
            self.set_class(problem, "-problem")
            self.update(visible(status), layout=problem)


def figures_of(writer: Writer) -> str:
    """Such as `213 chars · 1.71 bits/char · 5,090 chars/s`; empty before the first character."""
    if not writer.count:
        return ""
    figures = f"{writer.count:,} chars · {writer.bits_per_char:.2f} bits/char"
    return figures + (f" · {writer.chars_per_second:,.0f} chars/s" if writer.chars_per_second else "")


def activity_of(writer: Writer, waiting_for: str) -> str:
    """What the playground is doing; empty before there is a model."""
    if waiting_for:
        return waiting_for
    if writer.sampler is None:
        return ""
    if writer.writing:
        return "writing"
    return "page full, press g to continue" if writer.resting else "stopped, press g to continue"

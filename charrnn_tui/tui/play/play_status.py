"""The line under the text: how much, how surprising, how fast, and what is going on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Static

from charrnn_tui.tui.textview.visible import visible

if TYPE_CHECKING:
    from charrnn_tui.playground.writer import Writer


class PlayStatus(Static):
    """Repainted only when its words change."""

    DEFAULT_CSS = """
    PlayStatus {
        height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis;
        &.-problem { color: $text-error; text-style: bold; text-wrap: wrap; height: auto; max-height: 3; }
    }
    """

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self.words = ""

    def show(self, words: str, *, problem: bool = False) -> None:
        """Raw characters in the words are made visible."""
        if words != self.words:
            self.words = words
            self.set_class(problem, "-problem")
            self.update(visible(words), layout=problem)


def figures_of(writer: Writer) -> str:
    """Such as `213 chars · 1.71 bits/char · 5,090 chars/s`; empty before the first character."""
    if not writer.count:
        return ""
    figures = f"{writer.count:,} chars · {writer.bits_per_char:.2f} bits/char"
    return figures + (f" · {writer.chars_per_second:,.0f} chars/s" if writer.chars_per_second else "")


def activity_of(writer: Writer, waiting_for: str) -> str:
    """What is going on."""
    if waiting_for:
        return waiting_for
    if writer.sampler is None:
        return ""
    if writer.writing:
        return "writing"
    return "page full: g goes on" if writer.resting else "stopped: g goes on"

"""Help: the keys that act in the pane in focus, from their declarations."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.keys import Key, bindings_of, label_of


class HelpSection(NamedTuple):
    """text: a sentence or two. rows: terms of the pane and their meaning, then keys and what they do."""

    text: str
    rows: Sequence[tuple[str, str]]


def help_for(screen: Screen[Any]) -> list[HelpSection]:
    """The pane in focus, the panes around it, the screen, and the app; without keys that do nothing now."""
    acting = {active.binding.id for active in screen.active_bindings.values()}
    nodes = (screen.focused or screen).ancestors_with_self
    return [section for node in nodes if (section := _section(node, acting)) is not None]


def _section(node: DOMNode, acting: set[str | None]) -> HelpSection | None:
    text, terms = (getattr(node, name, ()) for name in ("HELP", "TERMS"))
    keys = [key for part in type(node).__mro__ for key in vars(part).get("KEYS", ())]
    keymap = getattr(node.app, "keymap", {})
    rows = [*terms, *((label_of(key, keymap), key.help) for key in keys if key.id in acting)]
    return HelpSection(text or "", rows) if text or rows else None


class HelpDialog(Dialog[None]):
    """Sections of text and tables; a long description wraps within its column."""

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("q", "dismiss(None)", "Close", "Close the help; so do ? and F1.", "help.close"),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(self, sections: Sequence[HelpSection]) -> None:
        super().__init__()
        self._sections = sections

    def compose(self) -> ComposeResult:
        width = max((len(label) for section in self._sections for label, _ in section.rows), default=0)
        with VerticalScroll() as scroll:
            scroll.border_subtitle = "↑ ↓ scroll · Esc closes"
            for section in self._sections:
                if section.text:
                    yield Static(section.text, markup=False)
                if section.rows:
                    yield HelpRows(section.rows, width)


class HelpRows(Widget):
    """Terms, and beside them what they mean, wrapped; Rich's table takes ten times as long."""

    def __init__(self, rows: Sequence[tuple[str, str]], label_width: int) -> None:
        super().__init__()
        self._rows, self._label_width = rows, label_width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        indent = self._label_width + 2
        return [
            Content.assemble((f"{'' if number else label:<{indent}}", "bold"), line)
            for label, text in self._rows
            for number, line in enumerate(Content(text).wrap(max(1, width - indent)))
        ]

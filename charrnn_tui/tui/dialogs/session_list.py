"""The saved sessions of the playground, to bring one back or to delete it."""

import time
from pathlib import Path
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from charrnn_tui.playground.session import SessionError, list_sessions, read_session
from charrnn_tui.tui.dialogs.choice_list import ChoiceList
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.textview.visible import visible

_BEGINNING: Final = 40  # characters of a text that tell it from others


class SessionList(Dialog[Path | None]):
    """Answers with the session to bring back, or None."""

    HELP = "What went on in the playground before, the newest session first."

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("escape,o", "dismiss(None)", "Close", "Close the list.", "sessions.close"),
        Key("x", "delete", "Delete", "Delete the chosen session.", "sessions.delete"),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory
        self._sessions: list[Path] = []
        self._options = ChoiceList()
        self._options.border_title = "sessions"
        self._options.border_subtitle = "Enter brings back  x deletes  Esc closes"

    def compose(self) -> ComposeResult:
        yield self._options

    def on_mount(self) -> None:
        self._fill()

    def _fill(self) -> None:
        self._sessions = list_sessions(self._directory)
        self._options.set_options(Option(Content(visible(_line(path)))) for path in self._sessions)
        if self._sessions:
            self._options.highlighted = 0
        else:
            none = "there is none yet: what you do here is saved when you leave"
            self._options.set_options([Option(none, disabled=True)])

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        place = self._options.place_of(event.option)
        if place is not None:  # else the next key has deleted it
            self.dismiss(self._sessions[place])

    def action_delete(self) -> None:
        place = self._options.highlighted
        if place is not None and place < len(self._sessions):
            try:
                self._sessions[place].unlink(missing_ok=True)
            except OSError as error:
                self.notify(f"it cannot be deleted: {error.strerror or error}", severity="error", markup=False)
            self._fill()


def _line(path: Path) -> str:
    when = ""
    try:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(path.stat().st_mtime))
        session = read_session(path)
    except (SessionError, OSError) as error:  # another process may have deleted it
        return f"{when}  {error}"
    current, count = session.branches[session.current], len(session.branches)
    begins = (current.steps.prime + current.text)[:_BEGINNING]
    texts = f"{count} text{'s' if count > 1 else ''}, {session.characters:,} characters"
    return f"{when}  {current.source.label} · {texts} · {begins}"

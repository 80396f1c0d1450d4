"""The saved sessions of the playground, to bring one back or to delete it."""

import time
from pathlib import Path
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.widgets import OptionList

from charrnn_tui.playground.session import SessionError, list_sessions, read_session
from charrnn_tui.tui.dialogs.choice_list import ChoiceList
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.keys import Key, bindings_of

_BEGINNING: Final = 40  # characters of a text that tell it from others


class SessionList(Dialog[Path | None]):
    """Answers with the session to bring back, or None."""

    HELP = "What went on in the playground before, the newest session first."

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("o", "dismiss(None)", "Close", "Close the list.", "sessions.close"),
        Key("x", "delete", "Delete", "Delete the chosen session.", "sessions.delete"),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory
        none = "there is none yet: what you do here is saved when you leave"
        self._list = ChoiceList[Path]("sessions", "Enter brings back  x deletes  Esc closes", empty=none)

    def compose(self) -> ComposeResult:
        yield self._list

    def on_mount(self) -> None:
        self._fill()

    def _fill(self) -> None:
        self._list.fill((path, _line(path)) for path in list_sessions(self._directory))

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        path = self._list.value_of(event.option)
        if path is not None:  # else the next key has deleted it
            self.dismiss(path)

    def action_delete(self) -> None:
        if (path := self._list.value) is not None:
            try:
                path.unlink(missing_ok=True)
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
    texts = f"{count} text{'s' if count > 1 else ''}, {session.characters:,} chars"
    return f"{when}  {current.source.label} · {texts} · {begins}"

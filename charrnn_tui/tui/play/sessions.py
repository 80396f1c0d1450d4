"""The part of the playground that remembers: sessions are saved by themselves and brought back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from charrnn_tui.playground.checkpoint_pins import drop_unused_pins, pin_checkpoint
from charrnn_tui.playground.controls import DEFAULTS
from charrnn_tui.playground.session import (
    DIRECTORY,
    SessionError,
    list_sessions,
    read_session,
    session_of,
    write_session,
)
from charrnn_tui.tui.dialogs.choice_list import ChoiceList
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.play.keeping import RECIPES, KeepingTexts
from charrnn_tui.tui.play.restoring_desk import RestoringDesk
from charrnn_tui.tui.textview.visible import visible

if TYPE_CHECKING:
    from charrnn_tui.playground.session import (
        Session,
    )

SAVE_SECONDS: Final = 30.0
_SAVED_IN_BETWEEN: Final = 100_000  # characters; more would make the keys wait, and are saved when one leaves
_BEGINNING: Final = 40  # characters of a text that tell it from others
REMEMBERING: Final = frozenset({"sessions"})


class SessionList(Dialog[Path | None]):
    """Gives the session to bring back, or None."""

    HELP = (
        """What was going on in the playground before, the newest first. Enter brings a session back, x deletes it."""
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,o", "dismiss(None)", "Close", id="sessions.close"),
        Binding("x", "delete", "Delete", id="sessions.delete"),
    ]
    DEFAULT_CSS = """
    SessionList {
        align: center middle;
        & OptionList {
            width: 110; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; text-wrap: nowrap; text-overflow: ellipsis;
        }
    }
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory
        self._listed: list[Path] = []

    def compose(self) -> ComposeResult:
        options = ChoiceList()
        options.border_title = "sessions"
        options.border_subtitle = "Enter brings back  x deletes  Esc closes"
        yield options

    def on_mount(self) -> None:
        self._fill()

    def _fill(self) -> None:
        self._listed = list_sessions(self._directory)
        options = self.query_one(OptionList)
        options.set_options(Option(Content(visible(_line(path)))) for path in self._listed)
        if self._listed:
            options.highlighted = 0
        else:
            options.set_options([Option("there is none yet: what you do here is saved when you leave", disabled=True)])

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        place = self.query_one(ChoiceList).place_of(event.option)
        if place is not None:  # else it was deleted by the next key
            self.dismiss(self._listed[place])

    def action_delete(self) -> None:
        place = self.query_one(OptionList).highlighted
        if place is not None and place < len(self._listed):
            try:
                self._listed[place].unlink(missing_ok=True)
            except OSError as error:
                self.notify(f"it cannot be deleted: {error.strerror or error}", severity="error", markup=False)
            self._fill()


def _line(path: Path) -> str:
    when = ""
    try:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(path.stat().st_mtime))
        session = read_session(path)
    except (SessionError, OSError) as error:  # another process may have taken it away
        return f"{when}  {error}"
    current, count = session.branches[session.current], len(session.branches)
    begins = (current.recipe.prime + current.text)[:_BEGINNING]
    texts = f"{count} text{'s' if count > 1 else ''}, {session.characters:,} characters"
    return f"{when}  {current.source.label} · {texts} · {begins}"


class RememberingSessions(KeepingTexts):
    """Saves the session in hand now and then, and when one leaves."""

    desk: RestoringDesk
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "sessions", "Sessions", show=False, id="play.sessions"),
    ]

    _session_at_first: Path | None = None
    _session_file: Path | None = None
    _saved_state: object = None

    def on_mount(self) -> None:
        self.set_interval(SAVE_SECONDS, self._save_in_between)

    def on_unmount(self) -> None:
        self.save_session()

    def on_screen_suspend(self) -> None:
        self._save_in_between()

    def begin_with(self, session: Path) -> None:
        """Bring this session back when the screen is first shown."""
        self._session_at_first = session

    def begin(self) -> None:
        if self._session_at_first is None or not self._brought_back(self._session_at_first):
            super().begin()

    def open_session(self, path: Path) -> None:
        """Bring it back; what follows is saved in its place. Raises SessionError."""
        session = read_session(path)
        self._session_file = path
        self.take_settings(session)
        self.desk.restore(session)

    def take_settings(self, session: Session) -> None:
        """Controls and prime as they were."""
        raise NotImplementedError

    def save_session(self) -> None:
        """Write what there is, if anything was done to it and it is not written yet."""
        desk = self.desk
        texts = [(id(branch.page), len(branch.page), branch.bookmarked) for branch in desk.branches]
        state = (texts, desk.settings, desk.prime_field.prime, id(desk.branches.current))
        if desk.restoring or state == self._saved_state or not self._worth_saving():
            return
        directory = self.backend.runs_directory
        recipes = directory / RECIPES
        if self._session_file is None:
            self._session_file = directory / DIRECTORY / f"{time.strftime('%Y-%m-%dT%H-%M-%S')}-{time.time_ns()}.json"
        try:
            recipes.mkdir(parents=True, exist_ok=True)
            session = session_of(
                desk.branches, desk.settings, desk.prime_field.prime, lambda model: pin_checkpoint(model, recipes)
            )
            write_session(self._session_file, session)
            drop_unused_pins(recipes, list_sessions(directory / DIRECTORY))
        except SessionError:
            return
        except OSError as error:
            self.log.error(error)
        self._saved_state = state

    def _save_in_between(self) -> None:
        if sum(len(branch.page) for branch in self.desk.branches) <= _SAVED_IN_BETWEEN:
            self.save_session()

    def _worth_saving(self) -> bool:
        branches = list(self.desk.branches)
        if not any(branch.page for branch in branches):
            return False
        changed = self.desk.settings != DEFAULTS or self.desk.prime_is_typed
        return changed or len(branches) > 1 or any(branch.bookmarked for branch in branches)

    @on(RestoringDesk.Restored)
    def restored(self, event: RestoringDesk.Restored) -> None:
        if event.lost:
            self.tell("not brought back: " + "; ".join(event.lost))
        if self.desk.feed.model is None:  # then the model writes that would have written without a session
            super().begin()

    def _brought_back(self, path: Path) -> bool:
        try:
            self.open_session(path)
        except SessionError as error:
            self.tell(str(error))
            return False
        return True

    def action_sessions(self) -> None:
        self.save_session()
        self.app.push_screen(SessionList(self.backend.runs_directory / DIRECTORY), self._session_chosen)

    def _session_chosen(self, path: Path | None) -> None:
        if path is not None:
            self._brought_back(path)

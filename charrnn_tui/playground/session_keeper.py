"""Saving what goes on in the playground, so that it can be brought back."""

import logging
import time
from pathlib import Path
from typing import Final

from charrnn_tui.playground.playground import Playground, State
from charrnn_tui.playground.session import (
    DIRECTORY,
    SessionError,
    list_sessions,
    read_session,
    session_of,
    write_session,
)
from charrnn_tui.playground.text_export import RECIPES, drop_unused_pins, pin_checkpoint

SAVE_SECONDS: Final = 30.0
_SMALL: Final = 100_000  # characters; more of them take long enough to be felt, and are saved on leaving only


class SessionKeeper:
    """Writes one session file, over and over, until another session is opened."""

    def __init__(self, playground: Playground, runs_directory: Path) -> None:
        self._playground, self._runs_directory = playground, runs_directory
        self._file: Path | None = None
        self._saved_state: object = None

    @property
    def directory(self) -> Path:
        """Where sessions are."""
        return self._runs_directory / DIRECTORY

    def open(self, path: Path) -> None:
        """Bring a session back; it is saved in the same file from then on. Raises SessionError."""
        session = read_session(path)
        self._file = path
        self._playground.restore(session)

    def save_if_small(self) -> None:
        """Save, unless that would hold up the keys."""
        if sum(len(branch.generated) for branch in self._playground.tree) <= _SMALL:
            self.save()

    def save(self) -> None:
        """Save if there is anything worth it that is not saved yet; what fails goes to the log."""
        playground = self._playground
        texts = [(id(branch.generated), len(branch.generated), branch.bookmarked) for branch in playground.tree]
        state = (texts, playground.settings, playground.prime, id(playground.tree.current))
        if playground.state is State.RESTORING or state == self._saved_state or not self._worth_saving():
            return
        recipes = self._runs_directory / RECIPES
        if self._file is None:
            self._file = self.directory / f"{time.strftime('%Y-%m-%dT%H-%M-%S')}-{time.time_ns()}.json"
        self._saved_state = state
        try:
            recipes.mkdir(parents=True, exist_ok=True)
            session = session_of(
                playground.tree, playground.settings, playground.prime, lambda model: pin_checkpoint(model, recipes)
            )
            write_session(self._file, session)
            drop_unused_pins(recipes, list_sessions(self.directory))
        except SessionError:  # no text of it could be written again
            return
        except OSError as error:
            logging.getLogger(__name__).error("the session cannot be saved: %s", error)

    def _worth_saving(self) -> bool:
        branches = list(self._playground.tree)
        if not any(branch.generated for branch in branches):
            return False
        changed = self._playground.settings != self._playground.defaults or self._playground.prime_is_typed
        return changed or len(branches) > 1 or any(branch.bookmarked for branch in branches)

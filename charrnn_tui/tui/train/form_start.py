"""What a run of the form starts from, if not from a new model, and the text whose loss shows what is forgotten."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.playground.models import source_of
from charrnn_tui.tui.dialogs.path_suggester import PathSuggester
from charrnn_tui.tui.text_field import TextField

_READ: Final = "read the model of the form"  # the key of the job


class FormStart:
    """Two fields; the model's sizes, or why it cannot be read, are there once `changed` is called."""

    def __init__(self, backend: Backend, jobs: Jobs) -> None:
        self._backend, self._jobs = backend, jobs
        suggester = PathSuggester(use_cache=False, case_sensitive=True)
        self.model = TextField(placeholder="a new model", suggester=suggester, id="init_from")
        self.old_text = TextField(placeholder="none", suggester=suggester, id="old_text")
        self.sizes: dict[str, int] = {}
        """`n_hidden` and `n_layers` of the model, once it is read."""
        self.problem = ""

    @property
    def given(self) -> dict[str, str]:
        """The settings that are typed."""
        fields = {"init_from": self.model, "old_text": self.old_text}
        typed = {name: os.path.expanduser(field.value.strip()) for name, field in fields.items()}
        return {name: value for name, value in typed.items() if value}

    @property
    def reading(self) -> bool:
        """Whether a model is named and nothing is known of it yet."""
        return "init_from" in self.given and not self.sizes and not self.problem

    def read(self, changed: Callable[[], None]) -> None:
        """Read the model that is named now."""
        self.sizes, self.problem = {}, ""
        self._jobs.cancel(_READ)
        if (named := self.given.get("init_from")) is None:
            return

        def work(token: CancelToken) -> dict[str, int]:
            checkpoint = self._backend.open_checkpoint(self._file_of(named))
            return {"n_hidden": checkpoint.n_hidden, "n_layers": checkpoint.n_layers}

        def done(sizes: dict[str, int], problem: str = "") -> None:
            self.sizes, self.problem = sizes, problem
            changed()

        self._jobs.submit(_READ, work, done, lambda error: done({}, str(error)))

    def _file_of(self, named: str) -> Path:
        shipped = (file for file in self._backend.shipped_checkpoints() if file.stem == named)
        found = None if Path(named).is_file() else next(shipped, None)
        return found or source_of(named, self._backend).file

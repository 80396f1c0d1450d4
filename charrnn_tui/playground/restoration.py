"""A session brought back, on another thread: the text that was on the screen first, then the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from charrnn_tui.playground.branches import Branch
from charrnn_tui.playground.models import ModelSource, load_model
from charrnn_tui.playground.preparation import Abandoned, Job
from charrnn_tui.run.files import file_sha256
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.rewriting import write_on
from charrnn_tui.sampling.sampler import Sampler

if TYPE_CHECKING:
    from charrnn_tui.playground.backend import Backend
    from charrnn_tui.playground.models import LoadedModel
    from charrnn_tui.playground.session import Session


class Restoration:
    """Begun when it is made; one looks now and then for the branches that are there again.

    A model that is gone, or whose file holds another one now, takes its texts with it: `lost` tells.
    """

    def __init__(self, session: Session, backend: Backend) -> None:
        self.session = session
        self.lost: list[str] = []
        self._backend = backend
        self._models: dict[tuple[str, str], LoadedModel | None] = {}
        self._there: dict[int, Branch] = {}
        self._written = 0
        self._total = max(1, sum(branch.recipe.length - branch.position for branch in session.branches))
        self._abandoned = False
        self._job = Job(self._restore)

    @property
    def words(self) -> str:
        return f"bringing the session back: {min(99, 100 * self._written // self._total)} %"

    @property
    def current(self) -> Branch | None:
        """The text that was on the screen, as soon as it is there."""
        return self._there.get(self.session.current)

    @property
    def done(self) -> bool:
        return self._job.done

    def branches(self) -> list[Branch]:
        """What is there, in the session's order; all of it once it is done."""
        return [self._there[place] for place in sorted(self._there)]

    def abandon(self) -> None:
        """End it, soon."""
        self._abandoned = True

    def _restore(self) -> None:
        parents = [branch.parent for branch in self.session.branches]
        first: list[int] = []
        place: int | None = self.session.current
        while place is not None:
            first.insert(0, place)
            place = parents[place]
        for place in [*first, *(place for place in range(len(parents)) if place not in first)]:
            try:
                self._restore_branch(place)
            except ValueError as error:
                self.lost.append(f"{self.session.branches[place].origin}: {error}")

    def _restore_branch(self, place: int) -> None:
        saved = self.session.branches[place]
        parent = None if saved.parent is None else self._there.get(saved.parent)
        model = self._model(saved.source, saved.recipe.checkpoint, saved.recipe.sha256)
        if model is None or (saved.parent is not None and parent is None):
            return
        if parent is None:
            sampler = saved.recipe.start(model.network, model.vocabulary)
            page = GeneratedText(sampler, saved.recipe.prime, saved.recipe.seeds[0])
        else:
            page = parent.page.fork(saved.position)
            earlier = max(at for at in saved.recipe.settings if at <= saved.position)
            sampler = Sampler(model.network, model.vocabulary, saved.recipe.settings[earlier], seed=0)
            sampler.restore(page.snapshot_at(saved.position))
        before = self._written
        write_on(page, sampler, saved.recipe, model.vocabulary.encode(saved.text).tolist(), self._hear(before))
        self._written = before + saved.recipe.length - saved.position
        self._there[place] = Branch(
            page, model, saved.origin, parent, saved.position, list(saved.marks), saved.bookmarked
        )

    def _hear(self, before: int) -> Callable[[int], None]:
        def hear(written: int) -> None:
            self._written = before + written
            if self._abandoned:
                raise Abandoned

        return hear

    def _model(self, source: ModelSource, kept: str, sha256: str) -> LoadedModel | None:
        """The model as the session had it: in its own place, or where it was kept for its recipes."""
        key = (sha256, kept)
        if key not in self._models:
            self._models[key] = None
            for candidate in (source, ModelSource("file", Path(kept))):
                try:
                    if file_sha256(candidate.file) == sha256:
                        self._models[key] = replace(load_model(candidate, self._backend), sha256=sha256)
                        break
                except (OSError, ValueError):
                    continue
            else:
                self.lost.append(f"{source.label} has changed or is gone")
        return self._models[key]

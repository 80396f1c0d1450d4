"""Bringing a session back: its models opened, its texts written again as their recipes say."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.branches import Branch
from charrnn_tui.playground.jobs import CancelToken
from charrnn_tui.playground.models import LoadedModel, ModelSource, load_model
from charrnn_tui.playground.session import Session
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.recipe import follow
from charrnn_tui.sampling.sampler import Sampler

PROGRESS_EVERY: Final = 64  # characters between two checks of the token


class SessionRestorer:
    """Restores the text that was on the screen first, then the others; both methods run in the background.

    A text whose model is gone, or whose model's file holds another model now, is not restored; `lost` says so.
    """

    def __init__(self, session: Session, backend: Backend) -> None:
        self._session, self._backend = session, backend
        self.lost: list[str] = []
        self._models: dict[str, LoadedModel | None] = {}  # by SHA-256
        self._restored: dict[int, Branch] = {}
        self._current_places: list[int] = []  # the text on the screen and those it grew out of, oldest first
        place: int | None = session.current
        while place is not None:
            self._current_places.insert(0, place)
            place = session.branches[place].parent
        self._written = 0
        self._total = max(1, sum(len(branch.text) - branch.position for branch in session.branches))

    @property
    def status(self) -> str:
        return f"restoring the session: {min(99, 100 * self._written // self._total)} %"

    def restore_current(self, token: CancelToken) -> Branch | None:
        """The text that was on the screen, with those it grew out of; None if it cannot be restored."""
        self._restore(self._current_places, token)
        return self._restored.get(self._session.current)

    def restore_others(self, token: CancelToken) -> list[Branch]:
        """All texts, in the session's order; those restored before are among them."""
        others = [place for place in range(len(self._session.branches)) if place not in self._current_places]
        self._restore(others, token)
        return [self._restored[place] for place in sorted(self._restored)]

    def _restore(self, places: Iterable[int], token: CancelToken) -> None:
        for place in places:
            try:
                self._restore_branch(place, token)
            except ValueError as error:
                self.lost.append(f"{self._session.branches[place].origin}: {error}")

    def _restore_branch(self, place: int, token: CancelToken) -> None:
        saved = self._session.branches[place]
        recipe = saved.steps
        parent = None if saved.parent is None else self._restored.get(saved.parent)
        model = self._model(saved.source, Path(recipe.checkpoint), recipe.sha256)
        if model is None or (saved.parent is not None and parent is None):
            return
        if parent is None:
            sampler = recipe.start(model.network, model.vocabulary)
            text = GeneratedText(sampler, recipe.prime, recipe.seeds[0])
        else:
            text = parent.generated.fork(saved.position)
            earlier = max(at for at in recipe.settings if at <= saved.position)
            sampler = Sampler(model.network, model.vocabulary, recipe.settings[earlier], seed=0)
            sampler.restore(text.snapshot_at(saved.position))
        ids = model.vocabulary.encode(saved.text).tolist()
        before = self._written
        for written, _ in enumerate(follow(recipe, sampler, text, ids)):
            if written % PROGRESS_EVERY == 0:
                token.check()
                self._written = before + written
        text.stop = recipe.stop
        text.compute_statistics()
        self._written = before + recipe.length - saved.position
        self._restored[place] = Branch(
            text, model, saved.origin, parent, saved.position, list(saved.marks), saved.bookmarked
        )

    def _model(self, source: ModelSource, pinned: Path, sha256: str) -> LoadedModel | None:
        """The model as the session had it: in its own place, or where its checkpoint was pinned for the recipes."""
        if sha256 not in self._models:
            found = (self._open(candidate, sha256) for candidate in (source, ModelSource("file", pinned)))
            self._models[sha256] = model = next(filter(None, found), None)
            if model is None:
                self.lost.append(f"{source.label} has changed or is gone")
        return self._models[sha256]

    def _open(self, source: ModelSource, sha256: str) -> LoadedModel | None:
        try:
            model = load_model(source, self._backend)
        except ValueError:
            return None
        return model if model.sha256 == sha256 else None

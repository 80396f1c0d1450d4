"""Replay: a control that changes re-writes the whole page, with the same seed and at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from charrnn_tui.playground.branches import Branch
from charrnn_tui.playground.controls import BIG_STEP, MIN_P, SAMPLING_FIELDS, SEED, TEMPERATURE, TOP_K, TOP_P
from charrnn_tui.playground.preparation import Abandoned, Job
from charrnn_tui.tui.play.forking_desk import ForkingDesk

if TYPE_CHECKING:
    from charrnn_tui.playground.controls import PlayControl
    from charrnn_tui.playground.preparation import Prepared
    from charrnn_tui.sampling.generated_text import GeneratedText
    from charrnn_tui.sampling.sampler import Sampler
    from charrnn_tui.sampling.settings import SamplingSettings

_WORTH_FINISHING: Final = 2000  # characters; a key held down shows each such page, a longer one gives way to the next
_LIKELY_STEPS: Final = (1, -1, 2, -2, BIG_STEP, -BIG_STEP, 3, -3, 4, -4)  # of the chosen control, by a key or a few
_AHEAD: Final = 18_000  # characters written ahead: all likely pages of 1,000, five seconds of two cores
_AT_A_TIME: Final = 2  # pages written ahead side by side
_OTHERS: Final = (TOP_K, TEMPERATURE, TOP_P, MIN_P)  # that one key chooses and another one changes
_KEPT: Final = 32_000  # characters, 13 MB with 83 tokens: who goes back meets what was written before


class Rewriting:
    """A page written anew on another thread, so long as the old one: the keys and the old text stay alive."""

    def __init__(
        self,
        page: GeneratedText,
        settings: SamplingSettings,
        seed: int,
        length: int,
        knob: PlayControl | None,
        *,
        ahead: bool = False,
        behind: Rewriting | None = None,
    ) -> None:
        """knob: the control that was changed; None: another prime or model.

        ahead: nobody waits for it, so others come first. behind: what is to be done or given up before.
        """
        self.page, self.length, self.knob = page.fork(0, seed), length, knob
        self._ahead = ahead
        self.made_with = settings, seed, length
        self._abandoned = False
        self._sampler: Sampler | None = None
        self._job: Job[None] = Job(partial(self._write, ahead, None if behind is None else behind._job))

    @property
    def done(self) -> bool:
        return self._job.done

    def result(self) -> tuple[GeneratedText, Sampler]:
        """A page as written, and a sampler that stands at its end; each time others.

        Raises ValueError where the model gives no numbers.
        """
        self._job.result()
        assert self._sampler is not None
        return self.page.fork(len(self.page)), self._sampler.fork()

    def hurry(self) -> None:
        """Somebody waits for it now: a thread that does not come last goes on with it."""
        if self._ahead and not self.done:
            self._ahead = False
            self._job = Job(partial(self._write, False, self._job))

    def abandon(self) -> None:
        """End it, soon."""
        self._abandoned = True

    def _write(self, ahead: bool, after: Job[None] | None) -> None:
        from charrnn_tui.sampling.sampler import Sampler  # NumPy: the first frame is there before it

        if after is not None:
            after.wait()
        if self._sampler is None:
            self._sampler = Sampler(self.page.network, self.page.vocabulary, self.made_with[0], seed=0)
            self._sampler.restore(self.page.snapshot_at(0))
        while len(self.page) < self.length:
            if self._abandoned or ahead != self._ahead:
                raise Abandoned
            self.page.write(self._sampler)
        self.page.look()


class ReplayingDesk(ForkingDesk):
    """With replay on, a page is what the controls make of its prime and seed; one branch for a control's changes."""

    _rewriting: Rewriting | None = None
    _wanted: tuple[PlayControl | None, int] | None = (
        None  # what has been changed since that began, and how much to write
    )
    _replayed: tuple[Branch, PlayControl | None] | None = None
    _foreseen: Sequence[Rewriting] = ()

    @property
    def words(self) -> str:
        rewriting = self._rewriting
        if super().words or rewriting is None:
            return super().words
        return f"writing again: {len(rewriting.page):,} of {rewriting.length:,}"

    def settings_changed(self, changed: Sequence[PlayControl]) -> None:
        acting = [knob for knob in changed if knob.field in SAMPLING_FIELDS or knob is SEED]
        page = self.writer.page
        if not self.settings.replay or not page or super().words or page.mixed or self.feed.live:
            self._let_be()
            super().settings_changed(changed)
        elif acting:
            self._rewrite(acting[0], len(page))

    def _begin(self, prepared: Prepared) -> None:
        length = self.writer.count
        self._let_be()
        super()._begin(prepared)
        if self.settings.replay and length and not self.feed.live:
            self._replayed = None if self.branches.current is None else (self.branches.current, None)
            self._rewrite(None, length)

    def go_on(self) -> None:
        self._forget_foreseen()
        super().go_on()

    def stop(self) -> None:
        self._let_be()
        super().stop()

    def start_over(self) -> None:
        self._let_be()
        super().start_over()

    def show_page(self, *, stays: bool = False) -> None:
        self._let_be()
        super().show_page(stays=stays)

    def on_unmount(self) -> None:
        self._let_be()

    def _let_be(self) -> None:
        """What is being written again is of no use any more."""
        if self._rewriting is not None:
            self._rewriting.abandon()
        self._rewriting = self._wanted = None
        self._forget_foreseen()

    def foresee(self, knob: PlayControl) -> None:
        """Write what the next keys could ask of this control and of the others, the likeliest first, while all rests.

        So going on in one direction meets pages that are ready, and so does going back. Not beside a training, whose
        processor it would take, and not beside writing, which makes other pages wanted.
        """
        page, settings = self.writer.page, self.settings
        acting = knob.field in SAMPLING_FIELDS or knob is SEED
        busy = self.words or self.writer.writing or self.feed.training
        if not (settings.replay and acting and page) or busy or len(page) > _WORTH_FINISHING or page.mixed:
            self._forget_foreseen()
            return
        likely = [knob.step(settings, by) for by in _LIKELY_STEPS]
        likely += [other.step(settings, by) for other in _OTHERS for by in (1, -1)]
        steps = dict.fromkeys(step for step in likely if step != settings)
        before = {found.made_with: found for found in self._foreseen if found.page.network is page.network}
        foreseen: list[Rewriting] = []
        for step in list(steps)[: _AHEAD // len(page)]:
            made_with = step.sampling, step.seed, len(page)
            behind = foreseen[-_AT_A_TIME] if len(foreseen) >= _AT_A_TIME else None
            made = (
                before.pop(made_with)
                if made_with in before
                else Rewriting(page, *made_with, knob, ahead=True, behind=behind)
            )
            foreseen.append(made)
        written = [found for found in before.values() if found.done and found.length == len(page)]
        for useless in self._foreseen:
            if useless not in foreseen and useless not in written:
                useless.abandon()
        self._foreseen = [*foreseen, *written][: _KEPT // len(page)]

    def _forget_foreseen(self, *, unfinished: bool = False) -> None:
        """All of them, or those that would take time from what is wanted now."""
        useless = [found for found in self._foreseen if not (unfinished and found.done)]
        for rewriting in useless:
            rewriting.abandon()
        self._foreseen = [found for found in self._foreseen if found not in useless]

    def _rewrite(self, knob: PlayControl | None, length: int) -> None:
        rewriting, page = self._rewriting, self.writer.page
        if rewriting is not None and rewriting.length <= _WORTH_FINISHING:
            self._wanted = knob, rewriting.length
            return
        if rewriting is not None:
            rewriting.abandon()
            length = rewriting.length
        if page is None:
            return
        made_with = self.settings.sampling, self.settings.seed, length
        foreseen = next((found for found in self._foreseen if found.made_with == made_with), None)
        self._foreseen = [found for found in self._foreseen if found is not foreseen]
        if foreseen is None or not foreseen.done:
            self._forget_foreseen(unfinished=True)
        self._rewriting = foreseen or Rewriting(page, *made_with, knob)
        self._rewriting.knob = knob
        self._rewriting.hurry()
        self._awake()
        if self._rewriting.done:
            self._take_up(self._rewriting)

    def _write(self, budget_seconds: float) -> None:
        if self._rewriting is None:
            super()._write(budget_seconds)

    def _on_sprint(self) -> None:
        if self._rewriting is None:
            super()._on_sprint()
        elif self._rewriting.done:
            self._take_up(self._rewriting)

    def _awake(self) -> None:
        super()._awake()
        if self._rewriting is not None and self._sprint is not None and self.screen.is_current:
            self._sprint.resume()

    def _take_up(self, rewriting: Rewriting) -> None:
        """Show what has been written; then what was changed meanwhile."""
        wanted, self._rewriting, self._wanted = self._wanted, None, None
        current = self.branches.current
        try:
            page, sampler = rewriting.result()
        except ValueError as error:
            self._problem = str(error)
            return
        assert current is not None
        self.writer.exchange(page, sampler)
        if (
            self._replayed == (current, rewriting.knob)
            and not current.bookmarked
            and not self.branches.children(current)
        ):
            current.page = page
            current.marks.clear()
        else:
            name = "" if rewriting.knob is None else f" {rewriting.knob.name}"
            self.branches.grow(Branch(page, current.model, f"replay{name}"))
        assert self.branches.current is not None
        self._replayed = self.branches.current, rewriting.knob
        foreseen, self._foreseen = [rewriting, *self._foreseen], ()  # the same prime and model: they may be wanted next
        self.show_page(stays=True)
        self._foreseen = foreseen
        self._draw(at_once=True)
        if wanted is not None:
            self._rewrite(*wanted)
        elif rewriting.knob is not None:
            self.foresee(rewriting.knob)
        else:
            self._forget_foreseen()

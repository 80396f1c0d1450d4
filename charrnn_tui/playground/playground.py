"""The playground without a screen: what is written, by which model, under which settings, and what happened."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from functools import partial
from typing import Final

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.branches import Branch, BranchTree, Mark
from charrnn_tui.playground.controls import CONTROLS, DEFAULTS, SAMPLING_FIELDS, SEED, PlayControl, PlaySettings
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.model_loading import NO_MODEL, ModelLoader, PrimedModel
from charrnn_tui.playground.models import LoadedModel, ModelSource
from charrnn_tui.playground.replay import Replay
from charrnn_tui.playground.restoring import SessionRestorer
from charrnn_tui.playground.session import Session
from charrnn_tui.playground.writer import Writer
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.sampling.distribution import Distribution
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.text.byte_text import joined

NO_TEXT: Final = "there is no text yet"
TEXT_CHANGED: Final = "another text is shown now, which does not reach this position"
_SESSION: Final = "session"  # key of the job


class State(Enum):
    """What the playground does now."""

    NO_MODEL = "no model"
    LOADING = "loading"  # opens a model or reads a prime; the earlier text stays on the screen
    RESTORING = "restoring"  # a session; texts that are there can be written on
    REPLAYING = "replaying"  # writes the text again under changed controls; the earlier one stays on the screen
    WRITING = "writing"
    RESTING = "resting"  # stopped, or the text has reached its length


@dataclass(frozen=True)
class TextShown:
    """Another text is the current one. keep_place: show it where the reader is, not from its end."""

    branch: Branch
    keep_place: bool = False


@dataclass(frozen=True)
class ModelChanged:
    """Another model writes, or newer weights of the same run."""

    model: LoadedModel


@dataclass(frozen=True)
class PrimeChanged:
    """Not typed: the model's own suggestion, or the prime of the text that is shown now."""

    prime: str


@dataclass(frozen=True)
class SettingsChanged:
    """Not by a control: these are the settings of the text that is shown now."""

    settings: PlaySettings


@dataclass(frozen=True)
class MarkAdded:
    """A control or the model was changed at this position of the current text."""

    mark: Mark


@dataclass(frozen=True)
class SessionRestored:
    """lost: a line for each text or model that could not be restored."""

    lost: tuple[str, ...]


Happened = TextShown | ModelChanged | PrimeChanged | SettingsChanged | MarkAdded | SessionRestored


def random_seed() -> int:
    """A seed that nobody has chosen: 0 to 999,999, short enough to be noted down."""
    return random.SystemRandom().randrange(1_000_000)


class Playground:
    """Call `advance` to write and `poll` to learn what happened; neither blocks.

    Methods that return a line of text say what they did or what prevented it, and return "" if there is nothing to say.
    """

    def __init__(
        self,
        backend: Backend,
        active_run: Callable[[], ActiveRun | None],
        jobs: Jobs,
        *,
        clock: Callable[[], float] = time.perf_counter,
        new_seed: Callable[[], int] = random_seed,
        symbol_of: Callable[[str], str] = str,
        defaults: PlaySettings = DEFAULTS,
    ) -> None:
        """clock: seconds. new_seed: for a reroll and for forks. symbol_of: how a character is named in a label.

        defaults: the settings to begin with, and those that a control is reset to.
        """
        self._backend, self._jobs, self._clock = backend, jobs, clock
        self._new_seed, self._symbol_of = new_seed, symbol_of
        self.settings = self.defaults = defaults
        self.prime = ""
        self.prime_is_typed = False  # until then the model suggests one
        self.problem = ""
        """Why nothing is written, one line; empty if nothing is wrong."""
        self.tree = BranchTree()
        self.writer = Writer(clock, defaults)
        self._loader = ModelLoader(backend, active_run, jobs, self._begin, self._renew, self._fail, clock)
        self._replay = Replay(jobs, self._replayed, self._fail)
        self._replayed_branch: tuple[Branch, PlayControl | None] | None = None
        self._restorer: SessionRestorer | None = None
        self._happened: list[Happened] = []

    # -- what there is ------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        if self._loader.status:
            return State.LOADING
        if self._replay.running:
            return State.REPLAYING
        if self._restorer is not None:
            return State.RESTORING
        if self.writer.writing:
            return State.WRITING
        return State.NO_MODEL if self.writer.sampler is None else State.RESTING

    @property
    def status(self) -> str:
        """What is waited for, and how far it is; empty if nothing is."""
        restoring = "" if self._restorer is None else self._restorer.status
        return self._loader.status or self._replay.status or restoring

    @property
    def model(self) -> LoadedModel | None:
        """The model that writes; None before the first one is open."""
        return self._loader.model

    @property
    def text(self) -> str:
        """The prime and the written characters."""
        return self.writer.prime + self.writer.text

    def poll(self) -> list[Happened]:
        """What happened since the last call, oldest first; takes over what the background jobs have done."""
        self._jobs.drain()
        if self.writer.writing:
            self._loader.refresh()
        happened, self._happened = self._happened, []
        return happened

    def advance(self, budget_seconds: float) -> str:
        """Write for at most this long; returns the new characters of the current text."""
        if self._replay.running:
            return ""
        try:
            return self.writer.advance(budget_seconds)
        except ValueError as error:
            self._fail(error)
            return ""

    def close(self) -> None:
        """Cancel its own jobs; the screens share the others."""
        self._loader.close()
        self._replay.cancel()
        self._cancel_restoring()

    def check(self, settings: PlaySettings) -> None:
        """Raise ValueError, one line, where the model that writes cannot follow these settings."""
        if self.model is not None:
            settings.check(self.model.vocabulary, self.model.network)

    @property
    def distribution(self) -> Distribution | None:
        """Of the next character; None without a model, and where the settings leave it nothing to write."""
        try:
            return None if self.writer.sampler is None else self.writer.sampler.distribution
        except ValueError:
            return None

    def distribution_at(self, position: int) -> Distribution:
        """That predicted a character of the current text, under the settings as they are now.

        Where these leave nothing that could be written, under those that it was written with.
        """
        generated = self.writer.generated
        assert generated is not None
        try:
            return generated.distribution_at(position, self.settings.sampling)
        except ValueError:
            return generated.distribution_at(position)

    # -- model, prime, settings ---------------------------------------------------------------------------------------

    def open(self, model: LoadedModel | ModelSource | None) -> None:
        """Write with this model, or with the newest."""
        self._cancel_restoring()
        self._stop_and_wait()
        self._loader.open(model, self._given_prime)

    def change_prime(self, prime: str) -> None:
        """Start over from a prime that somebody has typed or chosen."""
        self.prime, self.prime_is_typed = prime, True
        if self._loader.model is not None or self._loader.status:
            self._stop_and_wait()
            self._loader.start_over(prime)

    def change(self, settings: PlaySettings) -> None:
        """Apply settings that somebody has changed.

        Those of the sampler act on the next character and leave a mark, another seed starts over. With replay on, the
        whole text is written again under either.
        """
        before, self.settings = self.settings, settings
        self.problem = ""
        self.writer.apply(settings)
        changed = [control for control in CONTROLS if control.value(before) != control.value(settings)]
        sampling = [control for control in changed if control.field in SAMPLING_FIELDS]
        if not self._can_replay():
            self._replay.cancel()
            for control in sampling:
                self._mark(f"{control.name} {control.shown(settings)}")
            if SEED in changed:
                self.start_over()
        elif (sampling or SEED in changed) and self.writer.generated is not None:
            self._replay.start(self.writer.generated, settings, [*sampling, SEED][0], self.writer.count)

    def reroll(self) -> None:
        """Write another text, with a new seed."""
        self.change(replace(self.settings, seed=self._new_seed()))
        self._happened.append(SettingsChanged(self.settings))

    def start_over(self) -> str:
        """From the prime again, with the seed of the settings."""
        self._replay.cancel()
        model, generated = self._loader.model, self.writer.generated
        if self._loader.live or (generated is not None and generated.mixed):
            self._stop_and_wait()
            self._loader.start_over(self._given_prime)
        elif not self._loader.status and model is not None and generated is not None:
            seed = self.settings.seed
            self._grow(Branch(self.writer.restart(generated, seed), model, f"seed {seed}"))
        return self._waiting()

    def go_on(self) -> str:
        self.writer.go_on()
        return self._waiting()

    def _waiting(self) -> str:
        """Why a text that was asked for is not being written; empty if it is."""
        return "" if self.writer.writing else self.status or self.problem or NO_MODEL

    def stop(self) -> None:
        self._replay.cancel()
        self.writer.stop()

    def resume(self) -> None:
        """Go on after a time in which nobody saw the text."""
        if self._loader.model is None and self.state is State.NO_MODEL:
            self.open(None)
        elif self._loader.live and not self.writer.count:
            self.start_over()  # the weights it was to start with have grown old
        self.writer.wake()

    # -- other texts --------------------------------------------------------------------------------------------------

    def fork(self, position: int, token_id: int) -> str:
        """Go on from a position with another character; with the same one, by other random numbers."""
        trunk = self.tree.current
        if trunk is None:
            return NO_TEXT
        if position >= len(trunk.generated):
            return TEXT_CHANGED
        tokens, old = trunk.generated.vocabulary.tokens, trunk.generated.ids[position]
        symbol = self._symbol_of(tokens[token_id])
        if token_id == old:
            return self._fork(trunk, position, [token_id], self._new_seed(), f"{symbol} again")
        return self._fork(trunk, position, [token_id], None, f"{symbol} for {self._symbol_of(tokens[old])}")

    def edit(self, start: int, text: str) -> str:
        """Go on behind `text`, put in place of the written characters from `start` on.

        The beginning that both have in common is shared. If all of `text` stands there already, what follows is written
        by other random numbers. Raises UnknownCharacters.
        """
        trunk = self.tree.current
        if trunk is None:
            return NO_TEXT
        ids, old = trunk.generated.vocabulary.encode(text).tolist(), trunk.generated.ids
        if start > len(old):
            return TEXT_CHANGED
        differing = (n for n, (one, other) in enumerate(zip(ids, old[start:], strict=False)) if one != other)
        shared = next(differing, min(len(ids), len(old) - start))
        seed = self._new_seed() if shared == len(ids) else None
        return self._fork(trunk, start + shared, ids[shared:], seed, "edit")

    def turn_to(self, branch: Branch) -> None:
        """Show a text of the tree, stopped."""
        self.tree.current = branch
        self._show_current()

    def sibling(self, by: int) -> str:
        """Show the text beside the current one."""
        found = self.tree.sibling(by)
        self._show_current()
        return "" if found else "there is no other branch beside this one"

    def delete(self) -> str:
        """Delete the current text and all that grew out of it; `undo` brings them back."""
        branch = self.tree.current
        if branch is None or not self.tree.delete(branch):
            return "this is the only text there is"
        self._show_current()
        return f"deleted: {branch.origin}; u brings it back"

    def undo(self) -> str:
        done = self.tree.undo()
        self._show_current()
        return done

    def redo(self) -> str:
        done = self.tree.redo()
        self._show_current()
        return done

    def bookmark(self) -> str:
        """Set or take the bookmark of the current text; one with a bookmark is not dropped when memory runs short."""
        branch = self.tree.current
        if branch is None:
            return NO_TEXT
        branch.bookmarked = not branch.bookmarked
        return f"{'bookmarked' if branch.bookmarked else 'bookmark removed'}: {branch.origin}"

    def restore(self, session: Session) -> None:
        """Bring back the texts of a session and its settings, and show the text that was on the screen."""
        self._stop_and_wait()
        self._cancel_restoring()
        self._adopt(session.settings)
        self.prime, self.prime_is_typed = session.prime, True
        self._happened.append(PrimeChanged(session.prime))
        restorer = self._restorer = SessionRestorer(session, self._backend)
        self._jobs.submit(_SESSION, restorer.restore_current, partial(self._current_restored, restorer))

    # -- what comes from the background -------------------------------------------------------------------------------

    def _begin(self, primed: PrimedModel) -> None:
        length = self.writer.count
        if not self.prime_is_typed:
            self.prime = primed.prime
            self._happened.append(PrimeChanged(primed.prime))
        text = self.writer.begin(primed.sampler, primed.read, self.settings.seed)
        start = Branch(text, primed.model, "start")
        self._grow(start)
        self._happened.append(ModelChanged(primed.model))
        if self.settings.replay and length and not self._loader.live:
            self._replayed_branch = start, None
            self._replay.start(text, self.settings, None, length)

    def _renew(self, model: LoadedModel) -> None:
        self.writer.change_model(model.network)
        self._mark(f"weights of step {model.step}")
        if self.tree.current is not None:
            self.tree.current.model = model
        self._happened.append(ModelChanged(model))

    def _replayed(self, text: GeneratedText, sampler: Sampler, control: PlayControl | None) -> None:
        """Show a text written again; one branch holds all texts that changes of one control have made in a row."""
        current = self.tree.current
        assert current is not None
        self.writer.exchange(text, sampler)
        if self._replayed_branch == (current, control) and not current.bookmarked and not self.tree.children(current):
            current.generated = text
            current.marks.clear()
        else:
            current = Branch(text, current.model, f"replay {control.name}" if control else "replay")
            self.tree.grow(current)
        self._replayed_branch = current, control
        self._happened.append(TextShown(current, keep_place=True))

    def _current_restored(self, restorer: SessionRestorer, current: Branch | None) -> None:
        if current is not None:
            self.tree.bring_back(list(reversed(list(current.ancestry))), current)
            self._show_current()
        self._jobs.submit(_SESSION, restorer.restore_others, partial(self._all_restored, restorer))

    def _all_restored(self, restorer: SessionRestorer, branches: Sequence[Branch]) -> None:
        self._restorer = None
        self.tree.bring_back(branches, None)
        self._happened.append(SessionRestored(tuple(restorer.lost)))
        if branches and self.tree.current not in branches:
            self.turn_to(branches[-1])

    def _fail(self, error: ValueError) -> None:
        self.problem = str(error)

    # -- parts of the above -------------------------------------------------------------------------------------------

    @property
    def _given_prime(self) -> str | None:
        return self.prime if self.prime_is_typed else None

    def _can_replay(self) -> bool:
        generated = self.writer.generated
        if not self.settings.replay or not generated or generated.mixed:
            return False
        return not self._loader.status and not self._loader.live

    def _stop_and_wait(self) -> None:
        """Stop writing; the text stays shown until the next one is there."""
        self._replay.cancel()
        self.writer.stop()
        self.problem = ""

    def _cancel_restoring(self) -> None:
        self._jobs.cancel(_SESSION)
        self._restorer = None

    def _fork(self, trunk: Branch, position: int, token_ids: Sequence[int], seed: int | None, origin: str) -> str:
        if self.status:
            return self.status
        try:
            text = self.writer.fork(trunk.generated, position, token_ids, seed)
        except ValueError as error:
            return str(error)
        self._grow(trunk.forked(text, position, origin))
        return ""

    def _grow(self, branch: Branch) -> None:
        self.tree.grow(branch)
        self._show(branch)

    def _show_current(self) -> None:
        """Show the current text of the tree, stopped, with its model, prime and settings."""
        branch = self.tree.current
        if branch is None or branch.generated is self.writer.generated:
            return
        self.writer.turn_to(branch.generated)
        self._loader.turn_to(branch.model)
        if self.prime != (prime := joined(branch.generated.prime)):
            self.prime, self.prime_is_typed = prime, True
            self._happened.append(PrimeChanged(self.prime))
        self._show(branch)
        self._happened.append(ModelChanged(branch.model))

    def _show(self, branch: Branch) -> None:
        self._replay.cancel()
        self.problem = ""
        self._happened.append(TextShown(branch))
        generated = branch.generated
        settings = replace(self.settings, seed=generated.seeds[0].value)
        if settings.replay and generated.settings:
            settings = replace(settings, **asdict(generated.settings[-1].value))
        self._adopt(settings)

    def _adopt(self, settings: PlaySettings) -> None:
        """Take over the settings of the text that is shown: nothing is marked or written again."""
        if settings != self.settings:
            self.settings = settings
            self.writer.apply(settings)
            self._happened.append(SettingsChanged(settings))

    def _mark(self, label: str) -> None:
        branch = self.tree.current
        mark = branch.mark(label, self._clock()) if branch is not None else None
        if mark is not None:
            self._happened.append(MarkAdded(mark))

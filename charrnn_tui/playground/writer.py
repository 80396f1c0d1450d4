"""Writing a text in slices of time: the speed, the length after which it stops, and where it goes on."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from charrnn_tui.playground.controls import DEFAULTS, PlaySettings
from charrnn_tui.run.quantities import nats
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.stops import NEVER, StopWatch

MOST_OWED_SECONDS: Final = 0.2  # after a stall it goes on, it does not catch up
_RATE_WINDOW: Final = 2.0  # seconds over which chars/s is measured
_RATE_GRAIN: Final = 0.05


class WritingSpeed:
    """Counts characters against a clock. All counts are of the whole text."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """clock: seconds."""
        self._clock = clock
        self._due = 0.0
        self._last_asked = 0.0
        self._recent: deque[tuple[float, int]] = deque()  # (seconds, characters written)
        self.chars_per_second = 0.0
        """As measured over the last two seconds of writing."""

    def wake(self, count: int) -> None:
        """Time has passed in which nobody asked for text: do not count it."""
        now = self._clock()
        self._last_asked, self._due = now, 0.0
        self._recent.clear()
        self._recent.append((now, count))

    def due(self, chars_per_second: int) -> int:
        """How many characters are to be written by now, at this speed."""
        now = self._clock()
        elapsed = min(now - self._last_asked, MOST_OWED_SECONDS)
        self._last_asked = now
        self._due = min(self._due + elapsed * chars_per_second, max(1.0, chars_per_second * MOST_OWED_SECONDS))
        return int(self._due)

    def wrote(self, new: int, count: int) -> None:
        """So many characters are new, and so many there are."""
        self._due = max(0.0, self._due - new)
        now = self._clock()
        if now - self._recent[-1][0] < _RATE_GRAIN:
            return
        self._recent.append((now, count))
        while len(self._recent) > 2 and now - self._recent[1][0] >= _RATE_WINDOW:
            self._recent.popleft()
        then, count_then = self._recent[0]
        self.chars_per_second = (count - count_then) / (now - then)


class Writer:
    """Writes one text at a time. It has no thread: `advance` writes for as long as its caller allows."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter, settings: PlaySettings = DEFAULTS) -> None:
        """clock: seconds. settings: to begin with."""
        self._clock = clock
        self.sampler: Sampler | None = None
        """None without a model."""
        self.generated: GeneratedText | None = None
        """The text being written; None without a model."""
        self.writing = False
        self._settings = settings
        self._end: int | None = None  # characters at which it stops
        self._watch = StopWatch(NEVER)
        self._speed = WritingSpeed(clock)

    @property
    def prime(self) -> str:
        return self.generated.prime if self.generated is not None else ""

    @property
    def text(self) -> str:
        """The written characters, without the prime."""
        return self.generated.text if self.generated is not None else ""

    @property
    def count(self) -> int:
        """How many characters have been written."""
        return len(self.generated) if self.generated is not None else 0

    @property
    def nats_per_char(self) -> float:
        """The mean surprise of the text under its own model."""
        return nats(self.generated.total_bits / len(self.generated)) if self.generated else 0.0

    @property
    def speed(self) -> int | None:
        """Characters a second that are asked for; None: without a limit."""
        return self._settings.speed

    @property
    def chars_per_second(self) -> float:
        """Measured over the last two seconds of writing."""
        return self._speed.chars_per_second

    @property
    def resting(self) -> bool:
        """Whether it stopped because the text has reached its length."""
        return not self.writing and self._end is not None and self.count >= self._end

    @property
    def at_stop(self) -> bool:
        """Whether it stopped because the text has come to what ends it."""
        return not self.writing and self.generated is not None and self.generated.stop != NEVER

    def apply(self, settings: PlaySettings) -> None:
        """Write with these settings from the next character on; a longer length goes on with a full text."""
        before, self._settings = self._settings, settings
        if self.sampler is not None and settings.sampling != before.sampling:
            self.sampler.settings = settings.sampling
        if settings.speed != before.speed:
            self.wake()
        if settings.stop != before.stop:
            self._watch = StopWatch(settings.end)
        if settings.length == before.length:
            return
        if settings.length is None or self.count < settings.length:
            resting, self._end = self.resting, settings.length
            if resting:
                self.go_on()
        elif self.writing:
            self._end = (self.count // settings.length + 1) * settings.length

    def begin(self, sampler: Sampler, prime: str, seed: int) -> GeneratedText:
        """Start a text with a sampler that has read the prime."""
        sampler.settings = self._settings.sampling
        sampler.reseed(seed)
        generated = GeneratedText(sampler, prime, seed)
        self._exchange(generated, sampler)
        self._end = None
        self.go_on()
        return generated

    def restart(self, generated: GeneratedText, seed: int) -> GeneratedText:
        """Start another text with the prime of this one, which is not read again."""
        restarted = generated.fork(0, seed)
        self.turn_to(restarted)
        self.go_on()
        return restarted

    def turn_to(self, generated: GeneratedText) -> None:
        """Stand at the end of a text, stopped."""
        sampler = Sampler(generated.network, generated.vocabulary, self._settings.sampling, seed=0)
        sampler.restore(generated.snapshot_at(len(generated)))
        self._exchange(generated, sampler)
        self._end = None
        self.stop()
        self.wake()

    def exchange(self, generated: GeneratedText, sampler: Sampler) -> None:
        """Go on with another text instead of the current one, and with the sampler that wrote it."""
        sampler.settings = self._settings.sampling
        self._exchange(generated, sampler)
        if generated.stop != NEVER or (self._end is not None and self.count >= self._end):
            self.stop()
        self.wake()

    def _exchange(self, generated: GeneratedText, sampler: Sampler) -> None:
        self.sampler, self.generated, self._watch = sampler, generated, StopWatch(self._settings.end)

    def fork(self, trunk: GeneratedText, position: int, token_ids: Sequence[int], seed: int | None) -> GeneratedText:
        """Go on from a position of a text on one of its own, first with these characters, with a new seed if given.

        Newer weights that have come since that position write what follows. Raises WeightsGone, and changes nothing.
        """
        generated = trunk.fork(position, seed)
        self.turn_to(generated)
        if generated.network is not trunk.network:
            self.change_model(trunk.network)
        assert self.sampler is not None
        for token_id in token_ids:
            generated.write(self.sampler, token_id)
        self.go_on()
        return generated

    def change_model(self, model: CharModel) -> None:
        """Go on with other weights of the same network, from the state of the old ones."""
        old = self.sampler
        if old is not None and self.generated is not None:
            self.generated.change_network(model, old.state)
            self.sampler = Sampler(model, old.vocabulary, self._settings.sampling, seed=0)
            self.sampler.restore(old.snapshot())

    def go_on(self) -> None:
        """Write, up to the length; from there, as many characters again."""
        if self.sampler is None or self.generated is None:
            return
        self.generated.stop = NEVER
        if self._end is None or not 0 < self.count < self._end:
            self._end = None if self._settings.length is None else self.count + self._settings.length
        self.writing = True
        self.wake()

    def stop(self) -> None:
        self.writing = False

    def wake(self) -> None:
        """Do not count the time since the last `advance`: nobody asked for text then."""
        self._speed.wake(self.count)

    def advance(self, budget_seconds: float) -> str:
        """Write as many characters as the speed allows by now, for at most this long; returns the new characters.

        Raises ValueError if the model's output is not finite; it has stopped then.
        """
        generated, sampler = self.generated, self.sampler
        if not self.writing or generated is None or sampler is None:
            return ""
        started = self._clock()
        allowed = (1 << 30) if self._end is None else self._end - self.count
        if self._settings.speed is not None:
            allowed = min(allowed, self._speed.due(self._settings.speed))
        new: list[str] = []
        try:
            while len(new) < allowed and (not new or self._clock() - started < budget_seconds):
                new.append(generated.write(sampler).character)
                if self._watch.ends_with(new[-1]):
                    self._end_at_stop(generated)
                    break
        except ValueError:
            self.writing = False
            raise
        if self._end is not None and self.count >= self._end:
            self.writing = False
        self._speed.wrote(len(new), self.count)
        return "".join(new)

    def _end_at_stop(self, generated: GeneratedText) -> None:
        """Stop writing; what follows is a page of its own, and ends at the next stop."""
        generated.stop, self._watch = self._settings.end, StopWatch(self._settings.end)
        self.writing, self._end = False, None

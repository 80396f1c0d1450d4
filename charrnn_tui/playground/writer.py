"""Writing a text in slices of time: the speed, the length after which it stops, and where it goes on."""

import time
from collections.abc import Callable, Sequence

from charrnn_tui.playground.controls import PlaySettings
from charrnn_tui.playground.writing_speed import WritingSpeed
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.lstm import CharLSTM
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import PLAIN, SamplingSettings


class Writer:
    """Writes one text at a time. It has no thread: `advance` writes for as long as its caller allows."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """clock: seconds."""
        self._clock = clock
        self._sampler: Sampler | None = None
        self._page: GeneratedText | None = None
        self._settings = PLAIN
        self._end: int | None = None  # characters at which it stops
        self._speed = WritingSpeed(clock)
        self.writing = False
        self.speed: int | None = None
        """Characters a second; None: without a limit."""
        self.length: int | None = None
        """Characters after which it stops, until asked to go on; None: it never stops by itself."""

    @property
    def generated(self) -> GeneratedText | None:
        """The text being written; None without a model."""
        return self._page

    @property
    def prime(self) -> str:
        return self._page.prime if self._page is not None else ""

    @property
    def text(self) -> str:
        """The written characters, without the prime."""
        return self._page.text if self._page is not None else ""

    @property
    def count(self) -> int:
        """How many characters have been written."""
        return len(self._page) if self._page is not None else 0

    @property
    def sampler(self) -> Sampler | None:
        """None without a model."""
        return self._sampler

    @property
    def bits_per_char(self) -> float:
        """The mean surprise of the text under its own model, bits."""
        return self._page.total_bits / len(self._page) if self._page else 0.0

    @property
    def chars_per_second(self) -> float:
        """Measured over the last two seconds of writing."""
        return self._speed.chars_per_second

    @property
    def resting(self) -> bool:
        """Whether it stopped because the text has reached its length."""
        return not self.writing and self._end is not None and self.count >= self._end

    @property
    def settings(self) -> SamplingSettings:
        """For the next character."""
        return self._settings

    @settings.setter
    def settings(self, settings: SamplingSettings) -> None:
        self._settings = settings
        if self._sampler is not None:
            self._sampler.settings = settings

    def apply(self, settings: PlaySettings) -> None:
        """Write with these settings from the next character on."""
        if self.settings != settings.sampling:
            self.settings = settings.sampling
        if self.speed != settings.speed:
            self.speed = settings.speed
            self.wake()
        if self.length != settings.length:
            self.set_length(settings.length)

    def set_length(self, length: int | None) -> None:
        """Change the length after which it stops, of the current text too; a longer one goes on with a full text."""
        self.length = length
        if length is None or self.count < length:
            resting = self.resting
            self._end = length
            if resting:
                self.go_on()
        elif self.writing:
            self._end = (self.count // length + 1) * length

    def begin(self, sampler: Sampler, prime: str, seed: int) -> None:
        """Start a text with a sampler that has read the prime."""
        sampler.settings = self._settings
        sampler.reseed(seed)
        self._sampler, self._page, self._end = sampler, GeneratedText(sampler, prime, seed), None
        self.go_on()

    def restart(self, seed: int) -> None:
        """Start another text with the same prime, which is not read again."""
        if self._page is not None:
            self.turn_to(self._page.fork(0, seed))
            self.go_on()

    def turn_to(self, generated: GeneratedText) -> None:
        """Stand at the end of a text, stopped."""
        sampler = Sampler(generated.network, generated.vocabulary, self._settings, seed=0)
        sampler.restore(generated.snapshot_at(len(generated)))
        self._sampler, self._page, self._end = sampler, generated, None
        self.stop()
        self.wake()

    def exchange(self, generated: GeneratedText, sampler: Sampler) -> None:
        """Go on with another text instead of the current one, and with the sampler that wrote it."""
        sampler.settings = self._settings
        self._sampler, self._page = sampler, generated
        if self._end is not None and self.count >= self._end:
            self.stop()
        self.wake()

    def fork(self, position: int, token_ids: Sequence[int], seed: int | None = None) -> None:
        """Go on from a position on a text of its own, first with these characters, with a new seed if given.

        Newer weights that have come since that position write what follows. Raises WeightsGone, and changes nothing.
        """
        if self._page is None:
            return
        newest, generated = self._page.network, self._page.fork(position, seed)
        self.turn_to(generated)
        if generated.network is not newest:
            self.change_model(newest)
        assert self._sampler is not None
        for token_id in token_ids:
            generated.write(self._sampler, token_id)
        self.go_on()

    def change_model(self, model: CharLSTM) -> None:
        """Go on with other weights of the same network, from the state of the old ones."""
        old = self._sampler
        if old is not None and self._page is not None:
            self._page.change_network(model, old.state)
            self._sampler = Sampler(model, old.vocabulary, self._settings, seed=0)
            self._sampler.restore(old.snapshot())

    def go_on(self) -> None:
        """Write, up to the length; from there, as many characters again."""
        if self._sampler is None:
            return
        if self._end is None or not 0 < self.count < self._end:
            self._end = None if self.length is None else self.count + self.length
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
        generated, sampler = self._page, self._sampler
        if not self.writing or generated is None or sampler is None:
            return ""
        started = self._clock()
        allowed = (1 << 30) if self._end is None else self._end - self.count
        if self.speed is not None:
            allowed = min(allowed, self._speed.due(self.speed))
        new: list[str] = []
        try:
            while len(new) < allowed and (not new or self._clock() - started < budget_seconds):
                new.append(generated.write(sampler).character)
        except ValueError:
            self.writing = False
            raise
        if self._end is not None and self.count >= self._end:
            self.writing = False
        self._speed.wrote(len(new), self.count)
        return "".join(new)

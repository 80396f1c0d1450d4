"""Who writes in the playground: a sampler, the text so far, a speed, and a rest at the end of a page."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from charrnn_tui.playground.writing_speed import WritingSpeed
from charrnn_tui.sampling.settings import PLAIN

if TYPE_CHECKING:
    from charrnn_tui.playground.controls import PlaySettings
    from charrnn_tui.sampling.generated_text import GeneratedText
    from charrnn_tui.sampling.lstm import CharLSTM
    from charrnn_tui.sampling.sampler import Sampler
    from charrnn_tui.sampling.settings import SamplingSettings


class Writer:
    """Writes a page in slices of time, so that one thread can write and answer keys."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """clock: seconds."""
        self._clock = clock
        self._sampler: Sampler | None = None
        self._page: GeneratedText | None = None
        self._settings = PLAIN
        self._page_end: int | None = None
        self._measured = WritingSpeed(clock)
        self.writing = False
        self.speed: int | None = None
        """Characters a second; None: as fast as it goes."""
        self.length: int | None = None
        """Characters to a page, after which it rests; None: it never rests."""

    def begin(self, sampler: Sampler, prime: str, seed: int) -> None:
        """Start a text where a sampler stands after its prime, and write."""
        from charrnn_tui.sampling.generated_text import GeneratedText  # NumPy: the first frame is there before it

        self._sampler = sampler
        sampler.settings = self._settings
        sampler.reseed(seed)
        self._page, self._page_end = GeneratedText(sampler, prime, seed), None
        self.go_on()

    def restart(self, seed: int) -> None:
        """Write from the prime again, which is not read again, on another page. Without a page nothing happens."""
        if self._page is not None:
            self.turn_to(self._page.fork(0, seed))
            self.go_on()

    def turn_to(self, page: GeneratedText) -> None:
        """Stand at the end of a page, and write no more until asked to go on."""
        from charrnn_tui.sampling.sampler import Sampler  # as GeneratedText

        sampler = Sampler(page.network, page.vocabulary, self._settings, seed=0)
        sampler.restore(page.snapshot_at(len(page)))
        self._sampler, self._page, self._page_end = sampler, page, None
        self.stop()
        self.wake()

    def exchange(self, page: GeneratedText, sampler: Sampler) -> None:
        """Go on with another page instead of the one in hand, with the sampler that wrote it."""
        sampler.settings = self._settings
        self._sampler, self._page = sampler, page
        if self._page_end is not None and self.count >= self._page_end:
            self.stop()
        self.wake()

    def fork(self, position: int, token_ids: Sequence[int], seed: int | None = None) -> None:
        """Go on from a place of the page on another page: with these characters first, with other random numbers.

        Newer weights, where they have come since, write what follows. Raises WeightsGone; then nothing has changed.
        """
        if self._page is None:
            return
        newest, page = self._page.network, self._page.fork(position, seed)
        self.turn_to(page)
        if page.network is not newest:
            self.change_model(newest)
        assert self._sampler is not None
        for token_id in token_ids:
            page.write(self._sampler, token_id)
        self.go_on()

    def change_model(self, model: CharLSTM) -> None:
        """Go on with other weights of the same network, from the state in which the old ones stand."""
        old = self._sampler
        if old is not None and self._page is not None:
            from charrnn_tui.sampling.sampler import Sampler  # as GeneratedText

            self._page.change_network(model, old.state)
            self._sampler = Sampler(model, old.vocabulary, self._settings, seed=0)
            self._sampler.restore(old.snapshot())

    @property
    def page(self) -> GeneratedText | None:
        """What is being written; None while there is no model."""
        return self._page

    @property
    def prime(self) -> str:
        """What the model has read before it wrote."""
        return self._page.prime if self._page is not None else ""

    @property
    def sampler(self) -> Sampler | None:
        """None while there is no model."""
        return self._sampler

    @property
    def settings(self) -> SamplingSettings:
        """What the next character will be chosen with."""
        return self._settings

    @settings.setter
    def settings(self, settings: SamplingSettings) -> None:
        self._settings = settings
        if self._sampler is not None:
            self._sampler.settings = settings

    def take(self, settings: PlaySettings) -> None:
        """Write with these from the next character on; what is the same in them is not disturbed."""
        if self.settings != settings.sampling:
            self.settings = settings.sampling
        if self.speed != settings.speed:
            self.speed = settings.speed
            self.wake()
        if self.length != settings.length:
            self.set_length(settings.length)

    @property
    def count(self) -> int:
        """How many characters have been written."""
        return len(self._page) if self._page is not None else 0

    @property
    def text(self) -> str:
        """What was written, raw, without the prime."""
        return self._page.text if self._page is not None else ""

    @property
    def bits_per_char(self) -> float:
        """The mean surprise of the text under its own model."""
        return self._page.total_bits / len(self._page) if self._page else 0.0

    @property
    def chars_per_second(self) -> float:
        """As measured over the last two seconds of writing."""
        return self._measured.chars_per_second

    @property
    def resting(self) -> bool:
        """Whether it stopped because a page is full."""
        return not self.writing and self._page_end is not None and self.count >= self._page_end

    def go_on(self) -> None:
        """Write, up to the end of the page; from a rest, another page."""
        if self._sampler is None:
            return
        if self._page_end is None or not 0 < self.count < self._page_end:
            self._page_end = None if self.length is None else self.count + self.length
        self.writing = True
        self.wake()

    def stop(self) -> None:
        """Write no more, until asked to go on."""
        self.writing = False

    def set_length(self, length: int | None) -> None:
        """Change the length of a page, of the one in hand too; a longer one ends a rest."""
        self.length = length
        if length is None or self.count < length:
            resting = self.resting
            self._page_end = length
            if resting:
                self.go_on()
        elif self.writing:
            self._page_end = (self.count // length + 1) * length

    def wake(self) -> None:
        """Time has passed in which nobody asked for text: do not count it."""
        self._measured.wake(self.count)

    def advance(self, budget_seconds: float) -> str:
        """Write what the speed allows by now, for so long at most; the new characters.

        Raises ValueError where the model gives no numbers; it has stopped then.
        """
        page, sampler = self._page, self._sampler
        if not self.writing or page is None or sampler is None:
            return ""
        started = self._clock()
        allowed = (1 << 30) if self._page_end is None else self._page_end - self.count
        if self.speed is not None:
            allowed = min(allowed, self._measured.due(self.speed))
        new: list[str] = []
        try:
            while len(new) < allowed and (not new or self._clock() - started < budget_seconds):
                new.append(page.write(sampler).character)
        except ValueError:
            self.writing = False
            raise
        if self._page_end is not None and self.count >= self._page_end:
            self.writing = False
        self._measured.wrote(len(new), self.count)
        return "".join(new)

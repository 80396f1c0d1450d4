"""Replay: write a whole text again, as long as it was, from the same prime under changed controls."""

from collections.abc import Callable
from typing import Final

from charrnn_tui.playground.controls import PlayControl, PlaySettings
from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.stops import NEVER, StopWatch

ALWAYS_FINISHED: Final = 2000  # characters; a key held down shows each text of this length, a longer one is replaced
_REPLAY = "replay"  # key of the job


class Replay:
    """At most one text is written again at a time; a change that comes meanwhile is written next."""

    def __init__(
        self,
        jobs: Jobs,
        done: Callable[[GeneratedText, Sampler, PlayControl | None], None],
        failed: Callable[[ValueError], None],
    ) -> None:
        """done: called with the text, a sampler at its end, and the control that was changed, if any."""
        self._jobs, self._done, self._failed = jobs, done, failed
        self._text: GeneratedText | None = None  # grows on the job's thread
        self._length = 0
        self._queued: tuple[PlaySettings, PlayControl | None] | None = None

    @property
    def running(self) -> bool:
        return self._jobs.pending(_REPLAY)

    @property
    def status(self) -> str:
        """How far it is; empty if nothing is written again."""
        if not self.running or self._text is None:
            return ""
        return f"replaying: {len(self._text):,} of {self._length:,} characters"

    def start(self, text: GeneratedText, settings: PlaySettings, control: PlayControl | None, length: int) -> None:
        """Write so many characters after the prime of `text`.

        With a stop, a text that it has ended is written up to it again, whatever the number of characters, and another
        one no further than to its next one. While a text of up to ALWAYS_FINISHED characters is being written, the
        newest request waits for it.
        """
        if self.running and self._length <= ALWAYS_FINISHED:
            self._queued = settings, control
            return
        if self.running:
            length = self._length
        stop, stops = settings.end, 0 if settings.stop is None else text.text.count(settings.stop)
        if stop != NEVER and text.stop == stop:
            length = max(length, settings.length or ALWAYS_FINISHED)
        else:
            stops += 1
        new = self._text = text.fork(0, settings.seed)
        self._length = length

        def work(token: CancelToken) -> Sampler:
            sampler = Sampler(new.network, new.vocabulary, settings.sampling, seed=0)
            sampler.restore(new.snapshot_at(0))
            watch, left = StopWatch(stop), stops
            while left and len(new) < length:
                token.check()
                if watch.ends_with(new.write(sampler).character):
                    watch, left = StopWatch(stop), left - 1
            new.stop = NEVER if left else stop
            new.compute_statistics()
            return sampler

        def finished(sampler: Sampler) -> None:
            queued, self._queued = self._queued, None
            self._done(new, sampler, control)
            if queued is not None:
                self.start(new, *queued, length)

        self._jobs.submit(_REPLAY, work, finished, self._failed)

    def cancel(self) -> None:
        """Drop the text being written and the request that waits."""
        self._queued = None
        self._jobs.cancel(_REPLAY)

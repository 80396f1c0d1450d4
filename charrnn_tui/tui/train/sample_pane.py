"""The samples of a run, one at a time: the newest, or an earlier one that was chosen."""

import math
import time
from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from charrnn_tui.run.events import SampleWritten
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.textview.text_view import TextView

_DWELL_SECONDS: Final = 2.0  # the newest stays so long at least: to be read, and since each costs 2 kB of the line
_NO_SAMPLE: Final = "no sample yet"


class SamplePane(Vertical):
    """Shows the newest sample until an earlier one is chosen, and again after the last one is passed."""

    HELP = """Samples that the model wrote in the course of the training, all with the same prime and seed.

While the chart's crosshair is on, it and the sample shown are of the same step."""

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("left", "step(-1)", "Sample before", "Show the sample before.", "samples.before"),
        Key("right", "step(1)", "Sample after", "Show the sample after.", "samples.after"),
        Key("f", "follow", "Newest (←→ others)", "Show each new sample.", "samples.follow", footer=True),
    )
    BINDINGS = bindings_of(KEYS)

    @dataclass
    class Chosen(Message):
        """The sample of this step was chosen; None: the newest is shown again."""

        step: int | None

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._samples: list[SampleWritten] = []
        self._chosen: int | None = None  # None follows the newest
        self._shown: tuple[SampleWritten, int] | None = None
        self._shown_at = -math.inf
        self._title = Static(_NO_SAMPLE, id="sample-title", markup=False)
        self._text = TextView(id="sample", placeholder="samples are written at each validation")

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._text

    def clear(self) -> None:
        """Forget the samples of the run shown before."""
        self._samples, self._chosen, self._shown, self._shown_at = [], None, None, -math.inf
        self._text.clear()
        self._title.update(_NO_SAMPLE)

    def show(self, samples: list[SampleWritten]) -> None:
        """Give all samples of the run; the pane shows the newest if no earlier one is chosen."""
        self._samples = samples
        if self._chosen is not None and self._chosen >= len(samples):
            self._chosen = None
        if self._chosen is not None or time.monotonic() - self._shown_at >= _DWELL_SECONDS:
            self._draw()

    def show_at(self, step: int | None) -> None:
        """Choose the sample nearest to a step; None: the newest."""
        if step is None or not self._samples:
            self._chosen = None
        else:
            far = [abs(sample.step - step) for sample in self._samples]
            if self._chosen is None or far[self._chosen] > min(far):
                self._chosen = far.index(min(far))
        self._draw()

    def action_step(self, direction: int) -> None:
        if not self._samples:
            return
        last = len(self._samples) - 1
        there = max(0, (last if self._chosen is None else self._chosen) + direction)
        self._choose(there if there <= last else None)

    def action_follow(self) -> None:
        self._choose(None)

    def _choose(self, index: int | None) -> None:
        self._chosen = index
        self._draw()
        self.post_message(self.Chosen(None if index is None else self._samples[index].step))

    def _draw(self) -> None:
        if not self._samples:
            return
        index = len(self._samples) - 1 if self._chosen is None else self._chosen
        sample = self._samples[index]
        loss = f" · val {sample.val_loss:.3f} nats/char" if sample.val_loss is not None else ""
        held = "" if self._chosen is None else f" · {index + 1} of {len(self._samples)}"
        self._title.update(f"sample at step {sample.step:,}{loss}{held}")
        if self._shown != (sample, index):
            self._shown, self._shown_at = (sample, index), time.monotonic()
            self._text.set_text(sample.prime + sample.text, prime_length=len(sample.prime))
            self._text.scroll_home(animate=False)

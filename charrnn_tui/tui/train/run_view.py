"""A run, in training or ended: progress bars, chart, samples, losses. Reads the run's events from disk."""

import sys
from collections.abc import Sequence
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from charrnn_tui.playground.ngram_baseline import NONE, read_baseline
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.follower import RunFollower, RunFollowers
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.quantities import size
from charrnn_tui.tui.chart.loss_chart import LossChart
from charrnn_tui.tui.train.run_lines import alarm_line, bar_lines, fact_lines, place_line
from charrnn_tui.tui.train.sample_pane import SamplePane

BYTES_A_POLL: Final = 4 << 20  # some 16,000 steps: a poll of a long history stays short, the next follows at once
NOT_BEGUN: Final = RunProgress()


class Lines(Static):
    """A fixed number of lines: a changed text is drawn without a new layout."""

    _shown = ""

    def show(self, text: str) -> None:
        """Replace the lines, if they have changed."""
        if text != self._shown:
            self._shown = text
            self.update(text, layout=False)


class RunView(Vertical):
    """Follows one run directory, whichever process trains it; the app polls it, and draws its header from it."""

    HELP = """A run. The chart shows the raw training loss, its smoothed line and the validation loss; ★ is the best.

2 plays with the model as it is now. Losses are in nats/char: 1 nat is 1.44 bits, and uniform guessing among N
characters has a loss of ln N. The validation loss is computed with the batch size and sequence length of the run.
GFLOP/s are those of the training's matrix products; the limit is the machine's, measured before the first step."""

    def __init__(self, followers: RunFollowers) -> None:
        super().__init__()
        self._followers = followers
        self._follower: RunFollower | None = None
        self._overlays: list[RunFollower] = []
        self.baseline = NONE
        self.chart = LossChart()
        self._samples = SamplePane(id="samples")
        self._bars, self._alarm, self._facts = (Lines("", id=name, markup=False) for name in ("bars", "alarm", "facts"))

    @property
    def run(self) -> RunDirectory | None:
        """The run that is shown; None before there is one."""
        return None if self._follower is None else self._follower.run

    @property
    def active(self) -> ActiveRun | None:
        """The training of the run in view, or its last one, if it is this process's."""
        return None if self._follower is None else self._follower.active

    @property
    def progress(self) -> RunProgress:
        return NOT_BEGUN if self._follower is None else self._follower.progress

    def compose(self) -> ComposeResult:
        yield self._bars
        with Horizontal(id="body"):
            yield self.chart
            yield self._samples
        yield self._alarm
        yield self._facts

    def on_mount(self) -> None:
        self.poll()

    def on_resize(self) -> None:
        self.set_class(self.size.width < 100, "-narrow")
        self.set_class(self.size.width < 100 and self.size.height < 16, "-low")
        self.set_class(self.size.height < 12, "-flat")
        self._write()

    def follow(self, run: RunDirectory) -> None:
        """Show this run, from its first event on; possible before the view is mounted."""
        self._follower = self._followers.of(run)
        self._samples.clear()
        self.read_baseline()

    def read_baseline(self) -> None:
        """Draw the losses of n-gram models that are stored in the run's directory."""
        self.baseline = NONE if self.run is None else read_baseline(self.run)
        self.poll()

    def lay_over(self, runs: Sequence[RunDirectory]) -> None:
        """Draw the curves of these runs too, each with its letter."""
        self._overlays = [self._followers.of(run) for run in runs]

    @on(LossChart.CrosshairMoved)
    def _crosshair_moved(self, event: LossChart.CrosshairMoved) -> None:
        event.stop()
        self._samples.show_at(event.step)

    @on(SamplePane.Chosen)
    def _sample_chosen(self, event: SamplePane.Chosen) -> None:
        event.stop()
        self.chart.point_at(event.step)

    def poll(self) -> None:
        """Fold the events that are new, and draw them."""
        if self._follower is None or not self.is_mounted:
            return
        others = [other for other in self._overlays if other is not self._follower]
        behind = [follower.poll(BYTES_A_POLL) for follower in (self._follower, *others)]
        if any(behind):
            self.call_later(self.poll)  # keys in between are answered; drawn once the history is there
            return
        overlays = {other.run.name: other.progress for other in others}
        self.chart.show(self.progress, overlays, self.baseline.by_name)
        if self.progress.samples:
            self._samples.show(self.progress.samples)
        self._write()

    def _write(self) -> None:
        if self.run is None:
            return
        width, flat = max(0, self.size.width - 2), self.size.height < 12
        lines = [place_line(self.progress, self.run.name, width), *bar_lines(self.progress, width)]
        self._bars.show("\n".join(lines[-1:] if flat else lines))
        facts = fact_lines(self.progress, width, "" if self.active is None else _memory())
        self.set_class(bool(self.progress.alarms), "-alarmed")
        self._alarm.show(alarm_line(self.progress, width))
        self._facts.show("\n".join(facts[:1] if flat else facts))


def _memory() -> str:
    """The largest memory of this process so far; empty on Windows."""
    if sys.platform == "win32":
        return ""
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return size(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)

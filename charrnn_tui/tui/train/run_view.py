"""A run as it goes, or as it went: bars, chart, the newest sample, facts. It reads the run's events from disk."""

import sys
from array import array
from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.event_tail import EventTail
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.quantities import size
from charrnn_tui.tui.chart.loss_chart import LossChart
from charrnn_tui.tui.train.run_lines import alarm_line, bar_lines, fact_lines, place_line
from charrnn_tui.tui.train.sample_pane import DWELL_SECONDS, SamplePane

LOOK_SECONDS = 0.6  # between two looks at the events: at most 10 a second would do, fewer spare a thin line
LOOK_SECONDS_ON_THIN_LINES = 3.0
_LOOKS_UNTIL_DEAD = 1  # a run that is handed from one process to another has no trainer for a moment
_BYTES_A_LOOK = 4 << 20  # some 16,000 steps: a look at a long history stays short, the next follows at once


class Lines(Static):
    """A fixed number of lines, of which only what has changed is sent to the terminal."""

    _shown = ""

    def show(self, text: str) -> None:
        """These, in the place of those before."""
        if text != self._shown:
            self._shown = text
            self.update(text, layout=False)


class Overlay:
    """Another run's validation losses, or its training losses where it has none."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        self.shown = -1  # points that the chart has
        self._tail, self._progress = EventTail(run.events_file), RunProgress()

    @property
    def curve(self) -> tuple["array[int]", "array[float]"]:
        """Steps and losses."""
        progress = self._progress
        if progress.val_steps:
            return progress.val_steps, progress.val_losses
        return progress.steps, progress.losses

    def grown(self) -> bool:
        """Whether the chart must be told; reads what is new."""
        self._tail.fold(self._progress, _BYTES_A_LOOK)
        before, self.shown = self.shown, len(self.curve[0])
        return self.shown != before and self.shown > 0


class RunView(Vertical):
    """Follows one run directory, whoever trains it; `progress` is what it has come to."""

    HELP = """A run. The chart shows the raw training loss, its smoothed line and the validation loss; ★ is the best.

2 plays with the model as it is now. Losses are in nats/char: 1 nat is 1.44 bits, and uniform guessing among N
characters has a loss of ln N. The validation loss is computed with the batch size and sequence length of the run."""

    DEFAULT_CSS = """
    RunView { padding: 0 1; }
    RunView #bars { height: 3; }
    RunView #body { height: 1fr; }
    RunView LossChart { width: 2fr; height: 1fr; }
    RunView #samples { width: 1fr; border-left: solid $panel; padding-left: 1; }
    RunView #alarm { height: 1; color: $text-warning; text-style: bold; display: none; }
    RunView.-alarmed #alarm { display: block; }
    RunView #facts { height: 2; color: $text-muted; }
    RunView.-narrow #body { layout: vertical; }
    RunView.-narrow LossChart { width: 1fr; height: 2fr; }
    RunView.-narrow #samples { width: 1fr; height: 1fr; min-height: 3; border-left: none; padding-left: 0; }
    RunView.-low #samples { display: none; }
    RunView.-flat #bars { height: 1; }
    RunView.-flat #facts { height: 1; }
    """

    def __init__(self, *, look_seconds: float = LOOK_SECONDS, id: str | None = None) -> None:
        super().__init__(id=id)
        self._look_seconds = look_seconds
        self.run: RunDirectory | None = None
        self.progress = RunProgress()
        self._looks_alone = 0
        self.chart = LossChart()
        self._samples = SamplePane(dwell_seconds=max(DWELL_SECONDS, 3 * look_seconds), id="samples")
        self.own = False  # whether this process trains it: then its memory is ours to tell
        self._tail: EventTail | None = None
        self._overlays: list[Overlay] = []
        self._shown_steps = self._shown_validations = self._shown_ticks = self._shown_rewinds = 0

    def compose(self) -> ComposeResult:
        yield Lines("", id="bars", markup=False)
        with Horizontal(id="body"):
            yield self.chart
            yield self._samples
        yield Lines("", id="alarm", markup=False)
        yield Lines("", id="facts", markup=False)

    def on_mount(self) -> None:
        self.set_interval(self._look_seconds, self.look)

    def on_resize(self) -> None:
        self.set_class(self.size.width < 100, "-narrow")
        self.set_class(self.size.width < 100 and self.size.height < 16, "-low")
        self.set_class(self.size.height < 12, "-flat")
        self._write()

    def follow(self, run: RunDirectory, *, own: bool = False) -> None:
        """Show this run from its first event on."""
        self.run, self.own = run, own
        self.progress, self._tail = RunProgress(), EventTail(run.events_file)
        self._shown_rewinds = 0
        self._forget_shown()
        self._samples.clear()
        self.look()

    def lay_over(self, runs: Sequence[RunDirectory]) -> None:
        """The runs whose curves are drawn too, each with its letter."""
        known = {overlay.run.path: overlay for overlay in self._overlays}
        chart = self.chart
        for overlay in self._overlays:
            chart.remove_overlay(overlay.run.name)
        self._overlays = [known.get(run.path) or Overlay(run) for run in runs]
        for overlay in self._overlays:
            overlay.shown = -1

    def _draw_overlays(self) -> None:
        chart = self.chart
        for overlay in self._overlays:
            if overlay.grown() and (self.run is None or overlay.run.path != self.run.path):
                chart.set_overlay(overlay.run.name, *overlay.curve)

    def _forget_shown(self) -> None:
        """The chart begins anew: another run, or one whose last steps are done again."""
        self._shown_steps = self._shown_validations = self._shown_ticks = 0
        self.chart.clear()
        for overlay in self._overlays:
            overlay.shown = -1

    @on(LossChart.CrosshairMoved)
    def _crosshair_moved(self, event: LossChart.CrosshairMoved) -> None:
        event.stop()
        self._samples.show_at(event.step)

    @on(SamplePane.Chosen)
    def _sample_chosen(self, event: SamplePane.Chosen) -> None:
        event.stop()
        self.chart.point_at(event.step)

    def look(self) -> None:
        """Fold what is new, and draw it."""
        if self._tail is None or self.run is None:
            return
        self._draw_overlays()
        before = self.progress.updated
        if self._tail.fold(self.progress, _BYTES_A_LOOK):
            self.call_later(self.look)  # keys in between are served; drawn once the history is there
            return
        quiet = self.progress.updated == before and not self.own and not self.progress.ended
        alone = quiet and self.run.trainer() is None
        self._looks_alone = self._looks_alone + 1 if alone else 0
        if self._looks_alone > _LOOKS_UNTIL_DEAD:
            self.progress.state, self.progress.reason = "interrupted", "its trainer has died"
        self._draw()

    def _draw(self) -> None:
        progress, chart = self.progress, self.chart
        if progress.rewinds > self._shown_rewinds:
            self._shown_rewinds = progress.rewinds
            self._forget_shown()
        if progress.started and chart.total_steps != progress.started.steps:
            chart.total_steps = progress.started.steps
        if (new := len(progress.steps)) > self._shown_steps:
            chart.add_losses(progress.steps[self._shown_steps :], progress.losses[self._shown_steps :])
            self._shown_steps = new
        if (new := len(progress.val_steps)) > self._shown_validations:
            since = self._shown_validations
            chart.add_validations(progress.val_steps[since:], progress.val_losses[since:])
            self._shown_validations = new
        for step, label in progress.ticks[self._shown_ticks :]:
            chart.add_tick(step, label)
        self._shown_ticks = len(progress.ticks)
        if progress.samples:
            self._samples.show(progress.samples)
        self._write()

    def _write(self) -> None:
        if self.run is None:
            return
        lines = [place_line(self.progress, self.run.name), *bar_lines(self.progress, self.size.width - 2)]
        flat = self.size.height < 12
        self._update("#bars", [line[: self.size.width - 2] for line in (lines[-1:] if flat else lines)])
        facts = fact_lines(self.progress, self.size.width - 2, _memory() if self.own else "")
        self.set_class(bool(self.progress.alarms), "-alarmed")
        self._update("#alarm", [alarm_line(self.progress, self.size.width - 2)])
        self._update("#facts", facts[:1] if flat else facts)

    def _update(self, selector: str, lines: list[str]) -> None:
        self.query_one(selector, Lines).show("\n".join(lines))


def _memory() -> str:
    """The most memory this process has held, where the system tells."""
    if sys.platform == "win32":
        return ""
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return size(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)

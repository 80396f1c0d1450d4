"""The loss chart: live curves of a run, to zoom, pan and read off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from textual import events
from textual.message import Message

from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.chart.axes import LossRange
from charrnn_tui.tui.chart.canvas import ChartCanvas
from charrnn_tui.tui.chart.cells import ChartCells
from charrnn_tui.tui.chart.metrics import Metric, next_metric
from charrnn_tui.tui.chart.plot import PlotBox
from charrnn_tui.tui.chart.series import LossCurves
from charrnn_tui.tui.chart.view import ChartView, draw_chart
from charrnn_tui.tui.chart.window import ChartWindow
from charrnn_tui.tui.keys import Key, bindings_of

SMOOTHINGS = (0.9, 0.98, 0.995, 0.0)
WHEEL_ZOOM = 0.8
PAN = 0.25  # of what is shown


class LossChart(ChartCanvas, can_focus=True):
    """Raw, smoothed and validation loss of a run over its steps, in nats/char; a loss that is NaN is a gap."""

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("l", "toggle_log", "Log axis", "Make the loss axis logarithmic, or linear.", "chart.log", footer=True),
        Key("v", "crosshair", "Crosshair", "Show a crosshair that reads off losses.", "chart.crosshair", footer=True),
        Key("left", "move(-1)", "Left", "Move the crosshair, or pan, to the left.", "chart.left"),
        Key("right", "move(1)", "Right", "Move the crosshair, or pan, to the right.", "chart.right"),
        Key("plus,equals_sign", "zoom(0.5)", "Zoom in", "Show half as many steps.", "chart.zoom_in", display="+"),
        Key("minus", "zoom(2.0)", "Zoom out", "Show twice as many steps.", "chart.zoom_out", display="-"),
        Key("f", "toggle_follow", "Follow", "Follow the newest steps, or stay.", "chart.follow"),
        Key("0", "reset", "Whole run", "Show the whole run.", "chart.reset"),
        Key("y", "cycle_metric", "Y axis", "Draw another quantity, such as the speed; or losses.", "chart.metric"),
        Key("e", "cycle_smoothing", "Smoothing", "Smooth the losses more, or not at all.", "chart.smoothing"),
    )
    BINDINGS = bindings_of(KEYS)

    @dataclass
    class CrosshairMoved(Message):
        """The crosshair stands at this step now; None when it is off."""

        step: int | None

    def __init__(self) -> None:
        super().__init__()
        self._progress, self._overlays, self._baselines = RunProgress(), dict[str, RunProgress](), dict[str, float]()
        self._versions: Sequence[int] = ()
        self._curves: LossCurves | None = None
        self._smoothing = SMOOTHINGS[0]
        self._metric: Metric | None = None
        self._window = ChartWindow()
        self._log = False
        self._crosshair: int | None = None
        self._range: LossRange | None = None
        self._box = PlotBox(0, 0, 0, 0)

    def show(
        self,
        progress: RunProgress,
        overlays: Mapping[str, RunProgress] = MappingProxyType({}),
        baselines: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        """Draw a run as it is now, the curves of other runs and lines at losses to compare with, by their names."""
        if progress is not self._progress:
            self._window.reset()
            self._range = None
            self._set_crosshair(None)
        versions = [id(progress), progress.version, *(other.version for other in overlays.values())]
        others = overlays.keys() != self._overlays.keys() or baselines != self._baselines
        if versions != self._versions or others:
            self._progress, self._overlays, self._versions = progress, dict(overlays), versions
            self._baselines = dict(baselines)
            self._curves = None
            self._window.total_steps = progress.total_steps or None
            self.request_redraw()

    @property
    def curves(self) -> LossCurves:
        """What is drawn, as the runs were shown last."""
        if self._curves is None:
            self._curves = LossCurves.of(self._progress, self._smoothing, self._overlays, self._baselines, self._metric)
        return self._curves

    def point_at(self, step: int | None) -> None:
        """Put the crosshair at the point nearest to a step, in view; None takes it away. Sends no message."""
        if step is not None and self.curves.own:
            step = self.curves.nearest_step(step)
            self._window.bring_in(step)
        self._crosshair = step if self.curves.own else None
        self.request_redraw()

    def draw_cells(self, width: int, height: int) -> ChartCells:
        view = ChartView(
            width,
            height,
            self._window.renew(self.curves),
            log=self._log,
            follows=self._window.follows,
            focused=self.has_focus,
            crosshair=self._crosshair,
        )
        drawn = draw_chart(self.curves, view, self._range)
        self._range, self._box = drawn.loss_range, drawn.box
        return drawn.cells

    def action_toggle_log(self) -> None:
        self._log = not self._log
        self.request_redraw()

    def action_crosshair(self) -> None:
        if self._crosshair is not None:
            self._set_crosshair(None)
        elif self.curves.own:
            _, last = self.curves.reach(overlays=False)
            window = self._window.shown
            shown = window.start <= last <= window.end
            self._set_crosshair(self.curves.nearest_step(last if shown else (window.start + window.end) / 2))

    def action_move(self, direction: int) -> None:
        """Move the crosshair by a column, or the window when there is no crosshair."""
        if self._crosshair is None:
            self._window.pan(self.curves, PAN * direction)
        else:
            reach = self._window.shown.span / max(1, self._box.columns)
            step = self.curves.step_beside(self._crosshair, direction, reach)
            self._window.bring_in(step)
            self._set_crosshair(step)
        self.request_redraw()

    def action_zoom(self, factor: float) -> None:
        """Show `factor` times as many steps, about the crosshair if there is one."""
        self._zoom(factor, self._crosshair)

    def action_toggle_follow(self) -> None:
        self._window.toggle_follow(self.curves)
        self.request_redraw()

    def action_reset(self) -> None:
        self._window.reset()
        self._range = None
        self.request_redraw()

    def action_cycle_smoothing(self) -> None:
        self._smoothing = SMOOTHINGS[(SMOOTHINGS.index(self._smoothing) + 1) % len(SMOOTHINGS)]
        self._curves = None
        self.request_redraw()

    def action_cycle_metric(self) -> None:
        self._metric = next_metric(self._metric, self._progress)
        self._curves = self._range = None
        self.request_redraw()

    def on_click(self, event: events.Click) -> None:
        step = self._step_under(event)
        if step is not None and self.curves.own:
            self._set_crosshair(self.curves.nearest_step(step))
            self.request_redraw()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._zoom(WHEEL_ZOOM, self._step_under(event))
        event.stop()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._zoom(1 / WHEEL_ZOOM, self._step_under(event))
        event.stop()

    def _zoom(self, factor: float, anchor: float | None) -> None:
        self._window.zoom(self.curves, factor, anchor)
        self.request_redraw()

    def _step_under(self, event: events.MouseEvent) -> float | None:
        """The step of the column under the pointer; None beside the plot."""
        offset = event.get_content_offset(self)
        column = -1 if offset is None else offset.x - self._box.column
        if not 0 <= column < self._box.columns:
            return None
        return self._window.shown.step_at(column + 0.5, self._box.columns)

    def _set_crosshair(self, step: int | None) -> None:
        if step != self._crosshair:
            self._crosshair = step
            self.post_message(self.CrosshairMoved(step))
            self.request_redraw()

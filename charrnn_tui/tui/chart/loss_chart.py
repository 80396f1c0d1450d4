"""The loss chart: live curves of a run, to zoom, pan and read off."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from charrnn_tui.tui.chart.axes import LossRange
from charrnn_tui.tui.chart.canvas import LIVE_SECONDS, ChartCanvas
from charrnn_tui.tui.chart.cells import ChartCells
from charrnn_tui.tui.chart.plot import PlotBox
from charrnn_tui.tui.chart.series import Intervention, LossCurves, LossSeries, Numbers
from charrnn_tui.tui.chart.view import ChartView, draw_chart
from charrnn_tui.tui.chart.window import ChartWindow

SMOOTHINGS = (0.9, 0.98, 0.995, 0.0)
ZOOM = 0.5
WHEEL_ZOOM = 0.8
PAN = 0.25  # of what is shown


class LossChart(ChartCanvas, can_focus=True):
    """Raw, smoothed and validation loss over steps, in nats/char. Steps must increase; NaN and inf are gaps."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "toggle_log", "Log axis", id="chart.log"),
        Binding("v", "toggle_crosshair", "Crosshair", id="chart.crosshair"),
        Binding("left", "move(-1)", "Left", id="chart.left", show=False),
        Binding("right", "move(1)", "Right", id="chart.right", show=False),
        Binding("plus,equals_sign", "zoom_in", "Zoom in", id="chart.zoom_in", show=False, key_display="+"),
        Binding("minus", "zoom_out", "Zoom out", id="chart.zoom_out", show=False, key_display="-"),
        Binding("f", "toggle_follow", "Follow", id="chart.follow", show=False),
        Binding("0", "reset", "Whole run", id="chart.reset", show=False),
        Binding("e", "cycle_smoothing", "Smoothing", id="chart.smoothing", show=False),
    ]

    class CrosshairMoved(Message):
        """The crosshair stands at this step now; None when it is off."""

        def __init__(self, step: int | None) -> None:
            super().__init__()
            self.step = step

    def __init__(
        self,
        *,
        live_seconds: float = LIVE_SECONDS,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`live_seconds`: new points are drawn this often at most."""
        super().__init__(live_seconds=live_seconds, name=name, id=id, classes=classes)
        self.curves = LossCurves()
        self._window = ChartWindow()
        self._log = False
        self._crosshair: int | None = None
        self._range: LossRange | None = None
        self._box = PlotBox(0, 0, 0, 0)

    @property
    def total_steps(self) -> int | None:
        """Expected length of the run: the step axis ends there at the latest."""
        return self._window.total_steps

    @total_steps.setter
    def total_steps(self, steps: int | None) -> None:
        self._window.total_steps = steps
        self.request_redraw()

    def add_losses(self, steps: Numbers, losses: Numbers) -> None:
        self.curves.add_losses(steps, losses)
        self.request_live_redraw()

    def add_validations(self, steps: Numbers, losses: Numbers) -> None:
        self.curves.validation.append(steps, losses)
        self.request_live_redraw()

    def add_tick(self, step: int, label: str) -> None:
        """Mark an intervention, such as a new learning rate, on the step axis."""
        self.curves.interventions.append(Intervention(step, label))
        self.curves.interventions.sort(key=lambda mark: mark.step)
        self.request_live_redraw()

    def set_overlay(self, name: str, steps: Numbers, losses: Numbers) -> None:
        """Draw another run's validation losses too."""
        overlay = LossSeries()
        overlay.append(steps, losses)
        self.curves.overlays[name] = overlay
        self.request_live_redraw()

    def remove_overlay(self, name: str) -> None:
        self.curves.overlays.pop(name, None)
        self.request_live_redraw()

    def point_at(self, step: int | None) -> None:
        """Put the crosshair at the point nearest to a step, in view; None takes it away. Sends no message."""
        if step is not None and self.curves.own:
            step = self.curves.nearest_step(step)
            self._window.bring_in(step)
        self._crosshair = step if self.curves.own else None
        self.request_redraw()

    def clear(self) -> None:
        """Forget all points, ticks and overlays; keep smoothing and axis kind."""
        smoothing = self.curves.smoothed.smoothing
        self.curves = LossCurves()
        self.curves.smooth(smoothing)
        self._window.reset()
        self._range = None
        self._set_crosshair(None)
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

    def action_toggle_crosshair(self) -> None:
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

    def action_zoom_in(self) -> None:
        self._zoom(ZOOM, self._crosshair)

    def action_zoom_out(self) -> None:
        self._zoom(1 / ZOOM, self._crosshair)

    def action_toggle_follow(self) -> None:
        self._window.toggle_follow(self.curves)
        self.request_redraw()

    def action_reset(self) -> None:
        self._window.reset()
        self._range = None
        self.request_redraw()

    def action_cycle_smoothing(self) -> None:
        current = self.curves.smoothed.smoothing
        self.curves.smooth(SMOOTHINGS[(SMOOTHINGS.index(current) + 1) % len(SMOOTHINGS)])
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

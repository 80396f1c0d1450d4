"""Which steps a chart has in sight, as the user moves about and the run grows."""

from charrnn_tui.tui.chart.axes import StepWindow, WindowChoice, whole_run
from charrnn_tui.tui.chart.series import LossCurves


class ChartWindow:
    """Moves over curves that it is given each time, for they grow; other runs' may reach further than the run's own."""

    def __init__(self) -> None:
        self.total_steps: int | None = None
        self.shown = StepWindow(0, 1)
        """As it was drawn last."""
        self._choice = WindowChoice()

    @property
    def follows(self) -> bool:
        """Whether it moves with the newest point."""
        return self._choice.follows

    def renew(self, curves: LossCurves) -> StepWindow:
        """What is in sight now."""
        self.shown = self._choice.window(*_first_and_last(curves), self.total_steps)
        return self.shown

    def zoom(self, curves: LossCurves, factor: float, anchor: float | None) -> None:
        """See `factor` times as many steps; the anchor stays in its column."""
        self._choice = self._choice.zoomed(self.shown, self._newest(curves), self._whole(curves), factor, anchor)

    def pan(self, curves: LossCurves, share: float) -> None:
        """Move by a share of what is shown."""
        self._choice = self._choice.panned(self.shown, self._whole(curves), share)

    def bring_in(self, step: int) -> None:
        """Move, where need be, until a step is in sight."""
        self._choice = self._choice.showing(step, self.shown)

    def toggle_follow(self, curves: LossCurves) -> None:
        """Stay where it is, or go to the newest point and with it."""
        follows = self._choice.follows
        self._choice = self._choice.pinned(self.shown) if follows else self._choice.following(self._newest(curves))

    def reset(self) -> None:
        """See the whole run."""
        self._choice = WindowChoice()

    def _newest(self, curves: LossCurves) -> StepWindow:
        return whole_run(*_first_and_last(curves), self.total_steps)

    def _whole(self, curves: LossCurves) -> StepWindow:
        return whole_run(*curves.reach(overlays=True), self.total_steps)


def _first_and_last(curves: LossCurves) -> tuple[int, int]:
    """Of the run itself; of the overlays while it has no losses."""
    return curves.reach(overlays=not curves.own)

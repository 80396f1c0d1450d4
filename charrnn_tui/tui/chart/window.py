"""Which steps a chart has in sight, as the user moves about and the run grows."""

import math
from typing import Final

from charrnn_tui.tui.chart.axes import StepWindow, whole_run
from charrnn_tui.tui.chart.series import LossCurves

_SHORTEST_SPAN: Final = 8.0  # steps: the closest zoom
_HOPS: Final = 8  # a zoomed window that follows the run moves by an eighth of itself


class ChartWindow:
    """Moves over curves that it is given each time, for they grow; other runs' may reach further than the run's own."""

    def __init__(self) -> None:
        self.total_steps: int | None = None
        self.follows = True
        """Whether it moves with the newest point."""
        self.shown = StepWindow(0, 1)
        """As it was drawn last."""
        self._span: float | None = None  # steps; None: the whole run
        self._start = 0.0

    def renew(self, curves: LossCurves) -> StepWindow:
        """What is in sight now."""
        self.shown = whole = self._newest(curves)
        if self._span is not None:
            if self.follows:
                hop = self._span / _HOPS
                self._start = max(whole.start, math.ceil(_own_reach(curves)[1] / hop) * hop - self._span)
            self.shown = StepWindow(self._start, self._start + self._span)
        return self.shown

    def zoom(self, curves: LossCurves, factor: float, anchor: float | None) -> None:
        """See `factor` times as many steps; the anchor stays in its column. Without one, follow if following."""
        shown, newest, whole = self.shown, self._newest(curves), self._whole(curves)
        span = max(_SHORTEST_SPAN, shown.span * factor)
        if (self.follows and math.isclose(span, newest.span)) or (span >= whole.span and newest == whole):
            self.reset()
        elif span >= whole.span:
            self._hold(whole.start, whole.span)
        elif anchor is None and self.follows:
            self._span = span
        else:
            anchor = (shown.start + shown.end) / 2 if anchor is None else anchor
            start = anchor - (anchor - shown.start) * span / shown.span
            self._hold(_inside(start, span, whole), span)

    def pan(self, curves: LossCurves, share: float) -> None:
        """Move by a share of what is shown. A window that shows everything has nowhere to go."""
        if self._span is not None:
            start = self.shown.start + share * self.shown.span
            self._hold(_inside(start, self.shown.span, self._whole(curves)), self.shown.span)

    def bring_in(self, step: int) -> None:
        """Move, if the step is out of sight, until it is in the middle."""
        if not self.shown.start <= step <= self.shown.end:
            self._hold(max(0.0, step - self.shown.span / 2), self.shown.span)

    def toggle_follow(self, curves: LossCurves) -> None:
        """Stay where it is, or go to the newest point and with it."""
        if self.follows:
            self._hold(self.shown.start, self.shown.span)
        elif self._span is None or self._span >= self._newest(curves).span:
            self.reset()
        else:
            self.follows = True

    def reset(self) -> None:
        """See the whole run."""
        self._span, self.follows = None, True

    def _hold(self, start: float, span: float) -> None:
        self._start, self._span, self.follows = start, span, False

    def _newest(self, curves: LossCurves) -> StepWindow:
        return whole_run(*_own_reach(curves), self.total_steps)

    def _whole(self, curves: LossCurves) -> StepWindow:
        return whole_run(*curves.reach(overlays=True), self.total_steps)


def _own_reach(curves: LossCurves) -> tuple[int, int]:
    """First and last step of the run itself; of the overlays while it has no losses."""
    return curves.reach(overlays=not curves.own)


def _inside(start: float, span: float, whole: StepWindow) -> float:
    return max(whole.start, min(start, whole.end - span))

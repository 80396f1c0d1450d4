"""Which steps are in sight as the user zooms and pans, and the run grows."""

from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.chart.axes import StepWindow
from charrnn_tui.tui.chart.series import LossCurves
from charrnn_tui.tui.chart.window import ChartWindow
from tests.tui.chart.falling_losses import run_of


def curves_to(last: int, *, beside: int = 0) -> LossCurves:
    """Of a run that has come to this step, perhaps beside one that has come further."""
    others: dict[str, RunProgress] = {"other": run_of([1, beside], [2.0, 1.0])} if beside else {}
    return LossCurves.of(run_of([1, last], [2.0, 1.0]), overlays=others)


def shown(window: ChartWindow, curves: LossCurves) -> tuple[float, float]:
    steps = window.renew(curves)
    return steps.start, steps.end


def test_a_following_window_moves_in_hops() -> None:
    window = ChartWindow()
    window.renew(curves_to(5000))
    window.zoom(curves_to(5000), 0.16, None)
    starts = {window.renew(curves_to(last)) for last in range(5000, 5201)}
    assert starts == {StepWindow(start, start + 800) for start in (4200, 4300, 4400)}


def test_zooming_about_an_anchor_keeps_it_in_its_place() -> None:
    curves, window = curves_to(1000), ChartWindow()
    window.renew(curves)
    window.zoom(curves, 0.5, 250)
    assert shown(window, curves) == (125, 625)
    assert not window.follows
    window.zoom(curves, 2, 250)
    assert shown(window, curves) == (0, 1000)
    assert window.follows


def test_zooming_out_reaches_the_end_of_a_longer_run_beside() -> None:
    curves, window = curves_to(1000, beside=3000), ChartWindow()
    assert shown(window, curves) == (0, 1000)
    window.zoom(curves, 2, None)
    assert shown(window, curves) == (0, 2000)
    window.zoom(curves, 2, None)
    assert shown(window, curves) == (0, 3000)


def test_panning_stops_at_the_ends() -> None:
    curves, window = curves_to(1000), ChartWindow()
    window.renew(curves)
    window.zoom(curves, 0.1, 0)
    assert shown(window, curves) == (0, 100)
    for share in (0.5, -1.0):
        window.pan(curves, share)
        window.renew(curves)
    assert window.shown == StepWindow(0, 100)
    for _ in range(12):
        window.pan(curves, 1)
        window.renew(curves)
    assert window.shown == StepWindow(900, 1000)

"""The row above a loss chart: which line is which and its last loss, or the losses under the crosshair.

Each is made in full, then shorter and shorter until it fits; of the shortest, what does not fit whole is left out.
"""

from collections.abc import Callable

from charrnn_tui.run.quantities import bits, count
from charrnn_tui.tui.chart.cells import Ink
from charrnn_tui.tui.chart.plot import BASELINE_MARK, BEST_MARK, overlay_letter
from charrnn_tui.tui.chart.series import LossCurves

Pieces = list[tuple[str, Ink]]

RAW_MARK, SMOOTHED_MARK, VALIDATION_LINE = "⣿", "━", "┅"
FULL, SHORT, TERSE = range(3)


def legend_row(curves: LossCurves, width: int, log: bool, follows: bool, focused: bool) -> Pieces:
    """Names, glyphs and last values, in nats/char."""
    title = (
        ("▸" if focused else " ")
        + (curves.metric.name if curves.metric else "loss")
        + ("" if follows else " held")
        + (" log" if log else "")
    )
    return _fitting(lambda detail: [[(title, Ink.TITLE)], *_legend(curves, detail)], width)


def _legend(curves: LossCurves, detail: int) -> list[Pieces]:
    entries: list[Pieces] = []

    def entry(mark: str, ink: Ink, name: str, value: str) -> None:
        label = f" {name} {value}" if name and detail < TERSE else f" {value}"
        entries.append([("  " if detail < TERSE else " ", Ink.TEXT), (mark, ink), (label, Ink.TEXT)])

    train, smoothed, validation = curves.train.losses, curves.smoothed.losses, curves.validation.losses
    if len(train):
        entry(RAW_MARK, Ink.RAW, "" if curves.metric else "train", f"{train[-1]:.3f}")
    if len(smoothed):
        name = f"smooth {curves.smoothing:g}" if detail == FULL else "smooth"
        entry(SMOOTHED_MARK, Ink.SMOOTHED, name, f"{smoothed[-1]:.3f}")
    if len(validation):
        entry(VALIDATION_LINE, Ink.VALIDATION, "val", f"{validation[-1]:.3f}")
    if (best := curves.validation.lowest) is not None:
        at = f" @ {count(int(curves.validation.steps[best]))}" if detail == FULL else ""
        entry(BEST_MARK, Ink.BEST, "best" if detail == FULL else "", f"{validation[best]:.3f}{at}")
    if curves.best_baseline is not None:
        entry(BASELINE_MARK, Ink.BASELINE, curves.best_baseline[0], f"{curves.best_baseline[1]:.3f}")
    unit = curves.metric.unit if curves.metric else "nats/char"
    entries.append([(f"  {unit}" if detail < TERSE else f" {unit}", Ink.TITLE)])
    for index, (name, series) in enumerate(curves.overlays.items()):
        value = "" if series.lowest is None else f"{series.losses[series.lowest]:.3f}"
        entry(overlay_letter(index), Ink.OVERLAY, name, value)
    return entries


def readout_row(curves: LossCurves, step: float, width: int) -> Pieces:
    """The losses under the crosshair, in nats and, where there is room, in bits per character."""
    return _fitting(lambda detail: _readout(curves, step, detail), width)


def _readout(curves: LossCurves, step: float, detail: int) -> list[Pieces]:
    entries: list[Pieces] = [[(f" step {step:,.0f} " if detail == FULL else f" {step:,.0f} ", Ink.READOUT)]]
    for mark, ink, name, series in (
        (RAW_MARK, Ink.RAW, "train", curves.train),
        (SMOOTHED_MARK, Ink.SMOOTHED, "smooth", curves.smoothed),
        (VALIDATION_LINE, Ink.VALIDATION, "val", curves.validation),
    ):
        index = series.nearest(step)
        if index is None:
            continue
        nats = float(series.losses[index])
        if curves.metric is not None:
            entries.append([("  ", Ink.TEXT), (mark, ink), (f" {nats:.3f}", Ink.TEXT)])
            continue
        words = (f" {name} {nats:.3f} ({bits(nats):.3f} bits)", f" {nats:.3f}/{bits(nats):.2f}", f" {nats:.3f}")
        entries.append([("  " if detail < TERSE else " ", Ink.TEXT), (mark, ink), (words[detail], Ink.TEXT)])
    unit = curves.metric.unit if curves.metric else "nats/bits" if detail == SHORT else "nats/char"
    entries.append([(f"  {unit}", Ink.TITLE)])
    passed = [label for at, label in curves.interventions if at == step]
    return [*entries, *([(f"  ▲ {label}", Ink.INTERVENTION)] for label in passed)]


def _fitting(entries_of: Callable[[int], list[Pieces]], width: int) -> Pieces:
    """The fullest entries that fit into so many cells; of the tersest, each that does."""
    for detail in (FULL, SHORT, TERSE):
        pieces = [piece for entry in entries_of(detail) for piece in entry]
        if _cells(pieces) <= width:
            return pieces
    pieces = []
    for entry in entries_of(TERSE):
        if _cells([*pieces, *entry]) <= width:
            pieces += entry
    return pieces


def _cells(pieces: Pieces) -> int:
    return sum(len(text) for text, _ in pieces)

"""The row above a loss chart: which line is which and where it stands, or what the crosshair reads.

Each is built from the most to the least talkative variant; the first that fits is shown.
"""

import math

from charrnn_tui.tui.chart.axes import short_step_label
from charrnn_tui.tui.chart.cells import Ink
from charrnn_tui.tui.chart.plot import BEST_MARK, overlay_letter
from charrnn_tui.tui.chart.series import LossCurves, LossSeries

Pieces = list[tuple[str, Ink]]

RAW_MARK, SMOOTHED_MARK, VALIDATION_LINE = "⣿", "━", "┅"
DETAILS = TALKATIVE, PLAIN, COMPACT, NARROW, SHORT, TERSE = range(6)
TITLES = ("loss nats/char", "loss nats/char", "nats/char", "nats", "nats/char", "")


def fits(pieces: Pieces, width: int) -> bool:
    return sum(len(text) for text, _ in pieces) <= width


def legend_row(curves: LossCurves, width: int, log: bool, follows: bool, focused: bool) -> Pieces:
    """Names, glyphs and last values, in nats/char."""
    pieces: Pieces = []
    for detail in DETAILS:
        pieces = _legend(curves, detail, log, follows, focused)
        if fits(pieces, width):
            break
    return pieces


def _legend(curves: LossCurves, detail: int, log: bool, follows: bool, focused: bool) -> Pieces:
    marks = ("" if follows else " held") + (" log" if log else "")
    title = ("▸" if focused else " ") + TITLES[detail]
    pieces: Pieces = [(title, Ink.TITLE)]
    if marks:
        pieces.append((marks, Ink.TITLE))
    gap = "  " if detail < TERSE else " "

    def entry(mark: str, ink: Ink, name: str, value: str) -> None:
        words = [mark, *([name] if detail < SHORT and name else []), *([value] if value else [])]
        pieces.extend([(gap, Ink.TEXT), (" ".join(words[:1]) + " ", ink), (" ".join(words[1:]), Ink.TEXT)])

    digits = 2 if detail == TERSE else 3
    if len(curves.train):
        entry(RAW_MARK, Ink.RAW, "train", _last(curves.train, digits))
        if len(curves.smoothed):
            name = "smoothed" if detail == TALKATIVE else "smooth"
            name += f" {curves.smoothing:g}" if detail < NARROW else ""
            entry(SMOOTHED_MARK, Ink.SMOOTHED, name, _last(curves.smoothed, digits))
    if len(curves.validation):
        entry(
            VALIDATION_LINE,
            Ink.VALIDATION,
            "validation" if detail == TALKATIVE else "val",
            _last(curves.validation, digits),
        )
        if (best := curves.validation.lowest) is not None:
            at = f" @ {short_step_label(int(curves.validation.steps[best]))}" if detail < COMPACT else ""
            entry(
                BEST_MARK,
                Ink.BEST,
                "best" if detail < NARROW else "",
                f"{curves.validation.losses[best]:.{digits}f}{at}",
            )
    for index, (name, series) in enumerate(curves.overlays.items()):
        value = "" if series.lowest is None else f"{series.losses[series.lowest]:.{digits}f}"
        entry(overlay_letter(index), Ink.OVERLAY, name, value)
    return pieces


def _last(series: LossSeries, digits: int) -> str:
    return f"{series.losses[-1]:.{digits}f}"


def readout_row(curves: LossCurves, step: float, width: int) -> Pieces:
    """What lies under the crosshair, in nats and bits per character."""
    pieces: Pieces = []
    for detail in DETAILS:
        pieces = _readout(curves, step, detail)
        if fits(pieces, width):
            break
    return pieces


def _readout(curves: LossCurves, step: float, detail: int) -> Pieces:
    where = f"step {step:,.0f}" if detail == TALKATIVE else f"{step:,.0f}" if detail < SHORT else short_step_label(step)
    pieces: Pieces = [(f" {where} ", Ink.READOUT)]
    rows = [
        (RAW_MARK, Ink.RAW, "train", curves.train),
        (SMOOTHED_MARK, Ink.SMOOTHED, "smooth", curves.smoothed),
        (VALIDATION_LINE, Ink.VALIDATION, "val", curves.validation),
    ]
    for mark, ink, name, series in rows:
        index = series.nearest(step)
        if index is None:
            continue
        nats = float(series.losses[index])
        bits = nats / math.log(2)
        words = {
            TALKATIVE: f" {name} {nats:.3f} ({bits:.3f} bits)",
            PLAIN: f" {name} {nats:.3f}/{bits:.2f}",
            COMPACT: f" {nats:.3f}/{bits:.2f}",
            NARROW: f" {nats:.2f}/{bits:.2f}",
            SHORT: f" {nats:.2f}/{bits:.2f}",
            TERSE: f" {nats:.2f}",
        }[detail]
        pieces.extend([("  " if detail < SHORT else " ", Ink.TEXT), (mark, ink), (words, Ink.TEXT)])
    if detail < TERSE:
        pieces.append(("  nats/char" if detail == TALKATIVE else "  nats/bits", Ink.TITLE))
    if detail == TALKATIVE:
        passed = [label for at, label in curves.interventions if at == step]
        pieces.extend((f"  ▲ {label}", Ink.INTERVENTION) for label in passed)
    return pieces

"""The loss chart of a run as an SVG picture, which follows the light or dark colours of whoever shows it."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np
import numpy.typing as npt

from charrnn_tui.playground.ngram_baseline import read_baseline
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.files import write_atomically
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.quantities import bits, nats_and_bits
from charrnn_tui.runner.export import ExportError, refuse_existing, writing
from charrnn_tui.tui.chart.axes import LossRange, StepWindow, fitted, nice_step, round_ticks, step_label
from charrnn_tui.tui.chart.plot import SampledCurves
from charrnn_tui.tui.chart.series import LossCurves
from charrnn_tui.tui.textview.visible import visible

WIDTH, HEIGHT = 860, 480
LEFT, RIGHT, TOP, BOTTOM = 76, 784, 84, 420  # of the plot
COLUMNS = 354  # to which the curves are reduced: two pixels each
BASELINE_DISTANCE = 18  # pixels
MOST_MARKERS = 40  # validations, each with a marker
_STYLE = """
text { font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
text.title { font-size: 18px; font-weight: 600; } text.quiet { fill: #59636e; } text.best { fill: #c04a00; }
text.star { font-size: 20px; }
.ground { fill: #ffffff; } .grid { stroke: #d9dee3; } .axis { stroke: #59636e; }
.raw { fill: #0072b2; stroke: #0072b2; opacity: 0.3; } .raw-line { stroke: #0072b2; opacity: 0.45; }
.smoothed { stroke: #0072b2; stroke-width: 2; }
.validation { stroke: #c04a00; stroke-width: 2; stroke-dasharray: 7 4; }
.baseline { stroke: #59636e; stroke-dasharray: 1 4; }
.marker { fill: #ffffff; stroke: #c04a00; stroke-width: 1.5; } .line { fill: none; stroke-linejoin: round; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } text.quiet { fill: #9aa4ae; } text.best { fill: #f0a04b; }
.ground { fill: #0d1117; } .grid { stroke: #2b323b; } .axis { stroke: #9aa4ae; }
.raw { fill: #56b4e9; stroke: #56b4e9; } .raw-line, .smoothed { stroke: #56b4e9; }
.validation { stroke: #f0a04b; } .marker { fill: #0d1117; stroke: #f0a04b; } .baseline { stroke: #9aa4ae; }
}
"""  # plain rules, no variables: not only browsers show it

Heights = npt.NDArray[np.float64]


def export_svg(run: RunDirectory, out: Path, force: bool) -> int:
    """Write the loss chart of a run; returns how many steps it shows. force: overwrite it. Raises ExportError."""
    refuse_existing(out, force)
    progress = run.progress()
    picture = loss_svg(progress, run.name, read_baseline(run).by_name)
    with writing(out):
        write_atomically(out, picture.encode())
    return len(progress.steps)


def loss_svg(progress: RunProgress, name: str, baselines: Mapping[str, float] = MappingProxyType({})) -> str:
    """What the app draws: raw and smoothed training losses, validations, the best one; lines at the baselines.

    Losses in nats/char on the left, bits/char on the right. Raises ExportError for a run without a finite loss.
    """
    curves = LossCurves.of(progress, baselines=baselines)
    window = StepWindow(0.0, float(max(1, curves.reach(overlays=False)[1])))
    sampled = SampledCurves.sample(curves, window, COLUMNS)
    needed = sampled.needed_range()
    if needed is None:
        raise ExportError(f"{name}: no step with a finite loss yet")
    losses = fitted(None, *needed, log=False)
    svg = Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img")
    svg.set("width", str(WIDTH))
    svg.set("height", str(HEIGHT))
    title = f"{visible(name)}: loss by step"
    SubElement(svg, "title").text = title
    SubElement(svg, "style").text = _STYLE
    SubElement(svg, "rect", {"class": "ground", "width": str(WIDTH), "height": str(HEIGHT), "rx": "8"})
    _text(svg, 24, 34, title, "title")
    _axes(svg, window, losses)
    _baselines(svg, curves, losses)
    _curves(svg, curves, sampled, window, losses)
    _legend(svg, curves)
    return ElementTree.tostring(svg, encoding="unicode") + "\n"


def _axes(svg: Element, window: StepWindow, losses: LossRange) -> None:
    ticks = losses.ticks(6)
    for tick, y in zip(ticks, _y(losses, np.array(ticks)).tolist(), strict=True):
        _line(svg, LEFT, y, RIGHT, y, "grid")
        _text(svg, LEFT - 8, y + 4, f"{tick:.3g}", "quiet", "end")
        _text(svg, RIGHT + 8, y + 4, f"{bits(tick):.2f}", "quiet")
    step = max(1.0, nice_step(window.span, 8))
    for tick in round_ticks(window.start, window.end, max(1, round(window.span / step))):
        x = LEFT + tick / window.span * (RIGHT - LEFT)
        _line(svg, x, BOTTOM, x, BOTTOM + 5, "axis")
        _text(svg, x, BOTTOM + 20, step_label(round(tick, 6)), "quiet", "middle")
    _line(svg, LEFT, BOTTOM, RIGHT, BOTTOM, "axis")
    middle = (TOP + BOTTOM) / 2
    _text(svg, (LEFT + RIGHT) / 2, BOTTOM + 42, "step", "quiet", "middle")
    for x, unit in ((26, "nats/char"), (WIDTH - 18, "bits/char")):
        _text(svg, x, middle, f"loss ({unit})", "quiet", "middle").set("transform", f"rotate(-90 {x} {middle:g})")


def _curves(svg: Element, curves: LossCurves, sampled: SampledCurves, window: StepWindow, losses: LossRange) -> None:
    clip = SubElement(SubElement(svg, "defs"), "clipPath", id="plot")
    box = {"x": LEFT, "y": TOP - 8, "width": RIGHT - LEFT + 8, "height": BOTTOM - TOP + 8}
    SubElement(clip, "rect", {name: str(value) for name, value in box.items()})
    plot = SubElement(svg, "g", {"clip-path": "url(#plot)"})
    xs = LEFT + (np.arange(COLUMNS) + 0.5) / COLUMNS * (RIGHT - LEFT)  # (COLUMNS,), the columns' centres
    if sampled.train_line is not None:
        _curve(plot, xs, _y(losses, sampled.train_line), "line raw-line")
    else:
        low, high = _y(losses, sampled.train.low), _y(losses, sampled.train.high)
        filled = np.flatnonzero(~np.isnan(low))
        there = [f"{xs[i]:.1f},{high[i]:.1f}" for i in filled]
        back = [f"{xs[i]:.1f},{low[i]:.1f}" for i in filled[::-1]]
        SubElement(plot, "polygon", {"class": "raw", "points": " ".join([*there, *back])})
    _curve(plot, xs, _y(losses, sampled.smoothed), "line smoothed")
    _curve(plot, xs, _y(losses, sampled.validation), "line validation")
    points = list(zip(curves.validation.steps.tolist(), _y(losses, curves.validation.losses).tolist(), strict=True))
    best = curves.validation.lowest
    for number, (step, y) in enumerate(points):
        x = LEFT + step / window.span * (RIGHT - LEFT)
        if number == best:
            _text(plot, x, y + 7, "★", "best star", "middle")
        elif len(points) <= MOST_MARKERS and not np.isnan(y):
            SubElement(plot, "circle", {"class": "marker", "cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": "3"})


def _baselines(svg: Element, curves: LossCurves, losses: LossRange) -> None:
    """The lowest first; those too near to it are left out."""
    taken = float(BOTTOM)
    for name, loss in sorted(curves.baselines.items(), key=lambda each: each[1]):
        y = float(_y(losses, np.array([loss]))[0])
        if TOP <= y <= taken:
            taken = y - BASELINE_DISTANCE
            _line(svg, LEFT, y, RIGHT, y, "baseline")
            _text(svg, RIGHT - 8, y - 4, f"{name} {loss:.3f}", "quiet", "end")


def _legend(svg: Element, curves: LossCurves) -> None:
    """A line of each kind with its name and last loss, and the least validation loss."""
    x = 24
    entries = [
        ("raw", "train", curves.train.losses),
        ("line smoothed", f"smoothed {curves.smoothing:g}", curves.smoothed.losses),
        ("line validation", "validation", curves.validation.losses),
    ]
    for kind, name, values in entries:
        if not len(values):
            continue
        if kind == "raw":
            SubElement(svg, "rect", {"class": kind, "x": str(x), "y": "50", "width": "24", "height": "10"})
        else:
            _line(svg, x, 55, x + 24, 55, kind)
        label = f"{name} {values[-1]:.3f}"
        _text(svg, x + 30, 60, label)
        x += 50 + 7 * len(label)
    if (best := curves.validation.lowest) is not None:
        step, loss = int(curves.validation.steps[best]), float(curves.validation.losses[best])
        _text(svg, WIDTH - 24, 34, f"★ best {nats_and_bits(loss)} at step {step:,}", "best", "end")


def _curve(parent: Element, xs: Heights, ys: Heights, kind: str) -> None:
    """A path that is broken where there is no loss."""
    pen, path = "M", []
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        if np.isnan(y):
            pen = "M"
        else:
            path.append(f"{pen}{x:.1f} {y:.1f}")
            pen = "L"
    SubElement(parent, "path", {"class": kind, "d": "".join(path)})


def _y(losses: LossRange, values: npt.NDArray[np.floating]) -> Heights:
    """Where losses are drawn, in pixels from the top."""
    return TOP + losses.dot_heights(values, BOTTOM - TOP)


def _text(parent: Element, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> Element:
    place = {"x": f"{x:g}", "y": f"{y:.1f}", "text-anchor": anchor}
    text = SubElement(parent, "text", place | ({"class": kind} if kind else {}))
    text.text = words
    return text


def _line(parent: Element, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
    place = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    SubElement(parent, "line", {"class": kind} | {name: f"{value:.1f}" for name, value in place.items()})

"""`charrnn-tui units`: which units of a model follow quotations, brackets, words, sentences."""

from dataclasses import asdict
from typing import Any

import click

from charrnn_tui.analysis.closing import BEFORE, MOST, SAMPLES, close_quotations, open_quotations
from charrnn_tui.analysis.probes import PROBES, labels_of, span_of
from charrnn_tui.analysis.reading import read_blocks
from charrnn_tui.analysis.units import UnitArea, UnitStudy
from charrnn_tui.cli.model_text import ModelText, model_text_options, open_model_text, progress_bar
from charrnn_tui.cli.options import json_option
from charrnn_tui.cli.output import DataStream, excerpt, say
from charrnn_tui.runner.facts import model_facts
from charrnn_tui.sampling.pins import Pin

CONTEXT = 30  # characters before a place, and a third of it behind


class UnitName(click.ParamType):  # type: ignore[type-arg]
    """LAYER.UNIT, both counted from 1."""

    name = "unit"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        layer, _, unit = str(value).partition(".")
        if not (layer.isdecimal() and unit.isdecimal() and min(int(layer), int(unit)) > 0):
            self.fail(f"{value!r} is not a layer and a unit, such as 2.17", param, ctx)
        return int(layer), int(unit)


class ProbeName(click.ParamType):  # type: ignore[type-arg]
    """A property of `PROBES`, `/PATTERN/`, or `FROM-TO`."""

    name = "property"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            labels_of(str(value), "")
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem  # needed for completion only

        return [CompletionItem(name) for name in PROBES if name.startswith(incomplete)]


@click.command("units")
@model_text_options()
@click.option(
    "--probe",
    metavar="PROPERTY",
    type=ProbeName(),
    help=f"Rank the units for this property only: {', '.join(PROBES)}, /PATTERN/ for what a regular expression "
    "matches, or FROM-TO for the characters of a span of what is read, counted from 1.  [default: all]",
)
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="Units to list for --probe.")
@click.option("--unit", metavar="LAYER.UNIT", type=UnitName(), help="Describe this unit instead of the best one.")
@click.option(
    "--pin-check",
    is_flag=True,
    help=f"With --probe quotes: let the model continue up to {SAMPLES} quotations, also with the unit held at a value.",
)
@json_option("Write one JSON object, with the places where each listed unit is highest.")
def units_command(
    probe: str | None, top: int, unit: tuple[int, int] | None, pin_check: bool, as_json: bool, **given: Any
) -> None:
    """Find the units of a model whose activation, tanh of the cell, follows a property of the text FILE.

    A unit's area is the probability that it is higher behind a character with the property than behind one without
    (the area under the ROC curve): 0.5 is no relation, near 1 or 0 is a unit that follows it, upright or inverted. The
    units are ranked on the first half of the text; `held out` is the area on the second half, and `chance` the
    best area on the first half for the same property at wrong places. For a span they are ranked on the whole text,
    which leaves nothing held out: only an area far from that of chance counts. A unit that follows a property need not
    cause what the model writes. --pin-check shows which share of opened quotations the model closes, before an empty
    line and within 300 characters: as it is, and with the best unit held from the opening on, as inside and as outside.
    """
    if pin_check and probe != "quotes":
        raise click.UsageError("--pin-check is for --probe quotes")
    read = open_model_text(**given)
    checkpoint = read.checkpoint
    if unit is not None and (unit[0] > checkpoint.n_layers or unit[1] > checkpoint.n_hidden):
        raise click.UsageError(
            f"--unit {unit[0]}.{unit[1]}: the model has {checkpoint.n_layers} layers of {checkpoint.n_hidden} units"
        )
    names = list(PROBES) if probe is None else [probe]
    try:
        studies = {name: _study(name, read) for name in names}
    except ValueError as error:
        raise click.UsageError(f"--probe {error}") from None
    with progress_bar(len(read.ids), "reading") as bar:
        done = 0
        for block in read_blocks(read.model, read.ids):
            for study in studies.values():
                study.add(block)
            bar.update(block.read - done)
            done = block.read
    found = [_found(name, study, read, top if probe else 1, unit) for name, study in studies.items()]
    if pin_check and found[0]["units"]:
        found[0]["pin_check"] = _pin_check(read, found[0]["units"][0])
    if as_json:
        DataStream().write_json(read.facts | model_facts(checkpoint) | {"probes": found})
        return
    _write(read, found, alone=probe is not None)


def _study(name: str, read: ModelText) -> UnitStudy:
    """Raises ValueError, one line, for a span behind the text."""
    checkpoint, halves = read.checkpoint, span_of(name) is None
    return UnitStudy(labels_of(name, read.text), checkpoint.n_layers, checkpoint.n_hidden, halves=halves)


def _found(name: str, study: UnitStudy, read: ModelText, top: int, unit: tuple[int, int] | None) -> dict[str, Any]:
    """A probe's results as JSON; without units if the text has no use for it."""
    try:
        ranked, chance = study.ranked(), study.chance
    except ValueError as error:
        return {"probe": name, "share": study.share, "problem": str(error), "units": []}
    listed = ranked[:top] if unit is None else [each for each in ranked if (each.layer, each.unit) == unit]
    return {
        "probe": name,
        "share": study.share,
        "chance": chance,
        "units": [_unit(each, study, read) for each in listed],
    }


def _unit(area: UnitArea, study: UnitStudy, read: ModelText) -> dict[str, Any]:
    places = [
        {
            "position": place,
            "activation": value,
            "before": read.text[max(0, place + 1 - CONTEXT) : place + 1],
            "after": read.text[place + 1 : place + 1 + CONTEXT // 3],
        }
        for place, value in study.highest(area)
    ]
    return {"layer": area.layer, "unit": area.unit, "area": area.area, "held_out": area.held_out, "places": places}


def _pin_check(read: ModelText, unit: dict[str, Any]) -> list[dict[str, Any]]:
    """How many quotations the model closes: as it is, and with this unit held as inside and as outside a quotation."""
    inside = 1.0 if unit["area"] > 0.5 else -1.0
    held = [None, *(Pin(unit["layer"], unit["unit"], value) for value in (inside, -inside))]
    vocabulary, rows = read.checkpoint.vocabulary, []
    with progress_bar(BEFORE + len(held) * MOST, "writing") as bar:
        try:
            opened = open_quotations(read.model, vocabulary, read.text, check=lambda: bar.update(1))
        except ValueError as error:
            raise click.ClickException(f"{read.file}: {error}") from None
        for pin in held:
            pins = () if pin is None else (pin,)
            closing = close_quotations(read.model, vocabulary, opened, pins, check=lambda: bar.update(1))
            rows.append({"pin": None if pin is None else str(pin), **asdict(closing)})
            rows[-1] |= {"share": closing.share, "standard_error": closing.standard_error}
    return rows


def _write_pin_check(stream: DataStream, rows: list[dict[str, Any]]) -> None:
    stream.write_line("")
    stream.write_line(f"of {rows[0]['samples']} quotations that were opened the model closes, before an empty line:")
    for row, name in zip(rows, ("as it is", "as inside", "as outside"), strict=True):
        held = "" if row["pin"] is None else f"held at {row['pin'].partition('=')[2]}, "
        median = "" if row["median_chars"] is None else f", half of them within {row['median_chars']:.0f} characters"
        stream.write_line(f"{row['share']:>5.0%} ± {row['standard_error']:.0%}  {held}{name}{median}")


def _write(read: ModelText, found: list[dict[str, Any]], *, alone: bool) -> None:
    stream = DataStream()
    width = max(len(each["probe"]) for each in found)
    stream.write_line(f"{'property':<{width}}  share  unit    area   held out  chance")
    for each in found:
        line = f"{each['probe']:<{width}}  {each['share']:>4.0%}"
        if "problem" in each:
            stream.write_line(f"{line}   {each['problem']}")
        for unit in each["units"]:
            name = f"{unit['layer']}.{unit['unit']}"
            held_out = "–" if unit["held_out"] is None else f"{unit['held_out']:.3f}"
            figures = f"{unit['area']:.3f}  {held_out:<9} {each['chance']:.3f}"
            stream.write_line(f"{line}   {name:<6}  {figures}")
    if alone and found[0]["units"]:
        unit = found[0]["units"][0]
        stream.write_line("")
        stream.write_line(f"unit {unit['layer']}.{unit['unit']} is highest behind the character before the │:")
        for place in unit["places"]:
            before, after = (excerpt(place[side], CONTEXT) for side in ("before", "after"))
            stream.write_line(f"{place['activation']:+.2f}  {before:>{CONTEXT}}│{after}")
    if "pin_check" in found[0]:
        _write_pin_check(stream, found[0]["pin_check"])
    say(f"{read.read} read; layers and units are counted from 1")

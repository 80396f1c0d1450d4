"""The units of a network, to choose one: by its number, or by a property of the text that it follows."""

import re
from typing import ClassVar, Final

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static

from charrnn_tui.analysis.probes import span_of
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.unit_ranking import Peak, RankedUnit, UnitRanker, UnitRanking
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.dialogs.filtered_list import FilteredList
from charrnn_tui.tui.dialogs.job_note import JobNote
from charrnn_tui.tui.textview.visible import symbol_of, visible

Unit = tuple[int, int]  # layer and unit, counted from 1

PROPERTIES: Final = {
    "quotes": "inside a quotation",
    "brackets": "inside brackets",
    "sentence-end": "at the end of a sentence",
    "word": "inside a word",
    "capital-next": "before a capital letter",
    "indentation": "in the blanks that a line begins with",
    "late-in-line": "in the right half of a line",
}
_BEFORE: Final = 30  # cells in front of a place


class UnitFinder(Dialog[Unit | None]):
    """Gives a unit, or None."""

    VERTICAL_BREAKPOINTS = [(0, "-low"), (34, "-high")]  # noqa: RUF012 - Textual declares it so
    HELP = """Type layer and unit, such as 2.17, choose a property, type a regular expression such as /said|asked/, or \
a span of the page such as 120-180, which is the selection if there is one: then the units are listed that follow it \
best, with the ten places where the highlighted one is highest."""
    TERMS: ClassVar[tuple[tuple[str, str], ...]] = (
        (
            "area",
            "the probability that the unit is higher behind a character with the property than behind one without",
        ),
        ("", "(under the ROC curve): 0.5 is no relation, near 1 or 0 follows it; on the first half of the text"),
        ("held out", "the same on the second half, which the ranking has not seen; a span has none"),
        ("chance", "the best area of any unit for the same property at wrong places"),
    )

    def __init__(self, jobs: Jobs, ranker: UnitRanker, written: str, selected: tuple[int, int] | None = None) -> None:
        """written: ranked on where the training text is not found. selected: characters [start, end) of it."""
        super().__init__()
        self._ranker, self._written, self._selected = ranker, written, selected
        self._probe = ""  # that was asked for
        self._ranking: UnitRanking | None = None
        self._filtered = FilteredList[str | Unit](
            "2.17, a property, /said/, or a span such as 120-180", "no such unit or property"
        )
        self._places = Static("", markup=False, id="unit-places")
        self._note = JobNote(jobs)

    def compose(self) -> ComposeResult:
        with Vertical(id="unit-box") as box:
            box.border_title = "units"
            yield self._filtered
            yield self._note
            yield self._places

    def on_mount(self) -> None:
        self._fill()
        self._note.say("a property ranks the units that follow it; Esc closes")

    def _fill(self) -> None:
        """List what fits the field: a unit that was typed, the ranked units, or else the properties."""
        typed, ranking = self._filtered.field.value.strip(), self._ranking
        rows: list[tuple[str | Unit, str]] = []
        if (unit := self._unit_of(typed)) is not None:
            rows.append((unit, f"{_name(unit)}  unit {unit[1]} of layer {unit[0]}"))
        elif span_of(typed) is not None:
            rows.append((typed, f"{typed}  in these characters of the page"))
        elif ranking is not None and (not typed or typed[0].isdecimal()):
            rows += [(_unit(each), _row(each)) for each in ranking.units if _name(_unit(each)).startswith(typed)]
        elif len(typed) > 1 and typed.startswith("/"):
            pattern = f"/{typed[1:].removesuffix('/')}/"
            rows.append((pattern, f"{pattern}  in what this regular expression matches"))
        else:
            if self._selected is not None and not typed:
                start, end = self._selected
                rows.append((f"{start + 1}-{end}", f"{'selection':<14}in the {end - start:,} selected characters"))
            rows += [(probe, f"{probe:<14}{about}") for probe, about in PROPERTIES.items() if typed in probe]
        self._filtered.list.fill(rows)
        self._show_places()

    def _unit_of(self, typed: str) -> Unit | None:
        """The unit that was typed, if the network has it."""
        match, network = re.fullmatch(r"([0-9]{1,5})\.([0-9]{1,6})", typed, re.ASCII), self._ranker.model.network
        if match is None:
            return None
        layer, unit = map(int, match.groups())
        return (layer, unit) if 1 <= layer <= network.n_layers and 1 <= unit <= network.n_hidden else None

    def _show_places(self) -> None:
        value = self._filtered.list.value
        units = self._ranking.units if self._ranking is not None else ()
        found = next((each for each in units if _unit(each) == value), None)
        heading = "" if found is None else f"{_name(_unit(found))} is highest behind the character before the │:"
        lines = [] if found is None else [heading, *map(_place, found.peaks)]
        self._places.display = bool(lines)
        self._places.update("\n".join(lines))

    def _rank(self, probe: str) -> None:
        if self._note.busy and probe == self._probe:
            return
        self._ranking, self._probe = None, probe
        self._note.run_long(lambda report: self._ranker.rank(probe, self._written, report), self._show)

    def _show(self, ranking: UnitRanking) -> None:
        self._ranking = ranking
        self.add_class("-ranked")
        with self.prevent(Input.Changed):
            self._filtered.field.value = ""
        self._fill()
        where = f"{ranking.probe}: {ranking.share:.0%} of {ranking.source}"
        why = f" ({ranking.missing})" if ranking.missing else ""
        self._note.say(f"{where}{why}; chance {ranking.chance:.3f}. Enter shows the unit in the text")

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        event.stop()
        self._fill()

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._choose(self._filtered.list.value)

    @on(OptionList.OptionSelected)
    def clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose(self._filtered.list.value_of(event.option))

    @on(OptionList.OptionHighlighted)
    def highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._show_places()

    def _choose(self, chosen: str | Unit | None) -> None:
        if isinstance(chosen, str):
            self._rank(chosen)
        elif chosen is not None:
            self.dismiss(chosen)


def _unit(ranked: RankedUnit) -> Unit:
    return ranked.area.layer, ranked.area.unit


def _name(unit: Unit) -> str:
    return f"{unit[0]}.{unit[1]}"


def _row(ranked: RankedUnit) -> str:
    held_out = "" if ranked.area.held_out is None else f"   held out {ranked.area.held_out:.3f}"
    return f"{_name(_unit(ranked)):<8}area {ranked.area.area:.3f}{held_out}"


def _place(peak: Peak) -> str:
    """The text up to a place ends in the same column for all of them."""
    before, after = (
        "".join(symbol_of(c) if c == "\n" else visible(c) for c in side) for side in (peak.before, peak.after)
    )
    while cell_len(before) > _BEFORE:
        before = before[1:]
    return f"{peak.activation:+.2f}  {' ' * (_BEFORE - cell_len(before))}{before}│{after}"

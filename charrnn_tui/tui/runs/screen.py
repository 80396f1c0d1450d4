"""Runs: what has been trained, what is in training, and the way to each."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Input, Static

from charrnn_tui.playground.backend import Backend
from charrnn_tui.run.quantities import size
from charrnn_tui.tui.dialogs.questions import HelpDialog
from charrnn_tui.tui.key_footer import KeyFooter
from charrnn_tui.tui.messages import OpenRun, OverlayRuns, PlayRun, ResumeRun
from charrnn_tui.tui.runs.run_list import RunList
from charrnn_tui.tui.runs.runs_table import ORDERS, RunLogs, RunRow, arranged, columns_for, settings_diff
from charrnn_tui.tui.runs.tidying_runs import TIDYING, TidyingRuns
from charrnn_tui.tui.studio_header import StudioHeader

_LOOK_SECONDS = 2.0
_CHANGING = TIDYING | {"resume"}


class RunsScreen(TidyingRuns):
    """A table of all runs: sorted, filtered, opened, compared, tidied up."""

    HELP = """All runs, the newest first. Losses in nats/char: train is the last step's, val the last validation's,
best the least; curve is the validation's course; size is what the run takes on the disk; model is layers × hidden.

Enter  open the run with its curves and samples     s  sort by the next order
o      play with its best checkpoint                /  filter: words of name, state, text or note
r      go on with it where it ended                 p  pin it: first in the list, safe from x
v      lay its curve over the chart, or take off    n  a note on it
d      differences to the runs laid over            N  rename it
x      delete it (shows what goes, and asks)"""

    DEFAULT_CSS = """
    RunsScreen DataTable { height: 1fr; }
    RunsScreen #empty { padding: 1 2; height: 1fr; display: none; }
    RunsScreen #filter { display: none; }
    RunsScreen.-filtering #filter { display: block; }
    RunsScreen #arranged { height: 1; padding: 0 1; color: $text-muted; }
    RunsScreen.-empty #empty { display: block; }
    RunsScreen.-empty DataTable { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="runs.open", show=True),
        Binding("o", "play", "Play", id="runs.play"),
        Binding("r", "resume", "Resume", id="runs.resume"),
        Binding("s", "sort", "Sort", id="runs.sort"),
        Binding("slash", "filter", "Filter", id="runs.filter", key_display="/"),
        Binding("v", "overlay", "Overlay", id="runs.overlay"),
        Binding("d", "differences", "Differences", id="runs.differences"),
        Binding("p", "pin", "Pin", id="runs.pin"),
        Binding("n", "note", "Note", id="runs.note"),
        Binding("N,upper_n", "rename", "Rename", id="runs.rename"),
        Binding("x,delete", "delete", "Delete", id="runs.delete"),
        Binding("escape", "leave_filter", "Leave the filter", id="runs.leave_filter", show=False),
    ]

    def __init__(self, backend: Backend, *, read_only: bool = False) -> None:
        """`read_only`: runs are looked at, not changed."""
        super().__init__()
        self._backend = backend
        self._read_only = read_only
        self._rows: list[RunRow] = []
        self._order = next(iter(ORDERS))
        self._overlaid: list[str] = []  # names, in the order of their letters
        self._logs = RunLogs()
        self._list = RunList()

    def compose(self) -> ComposeResult:
        yield StudioHeader()
        yield Static("No runs yet. 1 trains one on a text of yours.", id="empty", markup=False)
        words = "words of name, state, text or note; Esc ends"
        yield Input(placeholder=words, select_on_focus=False, compact=True, id="filter")
        yield self._list
        yield Static("", id="arranged", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        self._list.focus()
        self.look()
        self.set_interval(_LOOK_SECONDS, self.look)

    def on_screen_resume(self) -> None:
        self.look()

    def on_resize(self) -> None:
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Who only looks is offered no key that changes anything."""
        return not (self._read_only and action in _CHANGING)

    def look(self) -> None:
        """Read what has changed, if anybody sees it."""
        if self.is_current:
            self._read()

    @work(thread=True, exclusive=True, group="runs")
    def _read(self) -> None:
        """Off the UI's thread, since a long history takes a while."""
        self.app.call_from_thread(self._take, [self._logs.row(run) for run in self._backend.runs()])

    def _take(self, rows: list[RunRow]) -> None:
        self._rows = rows
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        self.set_class(not self._rows, "-empty")
        shown = arranged(self._rows, self._order, self.query_one("#filter", Input).value)
        self._list.show(shown, columns_for(self.size.width), self._overlaid)
        self._sum_up()

    @on(DataTable.RowHighlighted)
    def _sum_up(self) -> None:
        """The line below the table: how many, how large, in which order; the note, whose column narrow screens lack."""
        shown = self._list.shown
        hidden = len(self._rows) - len(shown)
        held = size(sum(row.size_bytes for row in shown))
        words = [f"{len(shown)} run{'s' * (len(shown) != 1)}, {held}", f"sorted by {self._order}"]
        words += [f"{hidden} filtered out"] if hidden else []
        chosen = self.chosen
        words += [f"{chosen.run.name}: {chosen.tag.note}"] if chosen is not None and chosen.tag.note else []
        self.query_one("#arranged", Static).update(" · ".join(words))

    @property
    def chosen(self) -> RunRow | None:
        return self._list.chosen

    # -- finding --------------------------------------------------------------------------------------------------

    def action_sort(self) -> None:
        orders = list(ORDERS)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self._draw()

    def action_filter(self) -> None:
        self.add_class("-filtering")
        field = self.query_one("#filter", Input)
        self.set_focus(field)
        field.select_all()

    @on(Input.Changed, "#filter")
    def _filter_changed(self) -> None:
        self._draw()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self._list.focus()
        self.set_class(bool(self.query_one("#filter", Input).value), "-filtering")

    def action_leave_filter(self) -> None:
        self.query_one("#filter", Input).value = ""
        self._filter_done()

    # -- looking --------------------------------------------------------------------------------------------------

    @on(DataTable.RowSelected)
    def action_open(self) -> None:
        if (row := self.chosen) is not None:
            self.post_message(OpenRun(row.run))

    def action_play(self) -> None:
        if (row := self.chosen) is None:
            return
        if row.run.checkpoint_file() is None:
            self.notify(f"{row.run.name} has saved no checkpoint yet", severity="warning", markup=False)
        else:
            self.post_message(PlayRun(row.run))

    def action_overlay(self) -> None:
        if (row := self.chosen) is None:
            return
        name = row.run.name
        self._overlaid = [n for n in self._overlaid if n != name] if name in self._overlaid else [*self._overlaid, name]
        self._overlays_changed()

    def _overlays_changed(self) -> None:
        runs = {row.run.name: row.run for row in self._rows}
        self._overlaid = [name for name in self._overlaid if name in runs]
        self.post_message(OverlayRuns([runs[name] for name in self._overlaid]))
        self._draw()

    def renamed(self, before: str, name: str) -> None:
        self._overlaid = [name if overlaid == before else overlaid for overlaid in self._overlaid]

    def action_differences(self) -> None:
        if (chosen := self.chosen) is None:
            return
        others = [row for row in self._rows if row.run.name in self._overlaid and row.run.name != chosen.run.name]
        if not others:
            self.notify("v chooses runs to compare this one with, d then tells the differences", markup=False)
        else:
            self.app.push_screen(HelpDialog(settings_diff([chosen, *others])))

    def action_resume(self) -> None:
        if (row := self.chosen) is not None:
            self.post_message(ResumeRun(row.run, row.progress))

"""Runs: a table of all runs, in training or ended, and the way to each."""

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.widgets import DataTable, Input, Static

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.run.directory import unreadable_runs
from charrnn_tui.run.follower import RunFollowers
from charrnn_tui.run.quantities import size
from charrnn_tui.tui.chart.plot import overlay_letter
from charrnn_tui.tui.dialogs.help import HelpDialog, HelpSection
from charrnn_tui.tui.key_footer import KeyFooter
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.messages import OpenRun, OverlayRuns, PlayRun
from charrnn_tui.tui.own_training import OwnTraining
from charrnn_tui.tui.runs.run_actions import RunActions
from charrnn_tui.tui.runs.run_rows import (
    BEST,
    BY_LOSS,
    MARK,
    NAME,
    ORDERS,
    OTHER_BATCHES,
    STATE,
    TRAIN,
    RunRow,
    arranged,
    batches_of,
    columns_for,
    differing_settings,
    row_of,
    settings_diff,
    usual_batches,
)
from charrnn_tui.tui.runs.runs_table import RunsTable
from charrnn_tui.tui.studio_screen import StudioScreen
from charrnn_tui.tui.text_field import TextField

_REFRESH_SECONDS: Final = 2.0
_READ: Final = "read the runs"  # key of a job
_CHANGING: Final = {"resume", "change", "mark", "delete"}  # actions that read-only use does not offer


class RunsScreen(StudioScreen):
    """Sorts, filters, compares, opens, renames and deletes runs."""

    HELP = """Losses in nats/char. train: of the last step; best: the lowest validation loss, with ≠ if it was \
computed on other batches (batch size × sequence length) than most, for it depends a little on them; val: the last \
validation; curve: the validation losses over the run; size: of all files of the run; model: layers × hidden units."""

    AUTO_FOCUS = "RunsTable"  # not the filter, which is hidden: a key right behind 3 would be typed there
    MODE = "runs"
    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("enter", "open", "Open", "Open the run with its curves and samples.", "runs.open", footer=True),
        Key("o", "play", "Play", "Play with the best checkpoint of the run.", "runs.play", footer=True),
        Key("r", "resume", "Resume", "Resume the run from where it ended.", "runs.resume", footer=True),
        Key("s", "sort", "Sort", "Sort the table by the next order.", "runs.sort", footer=True),
        Key("slash", "filter", "Filter", "Show runs by their name, state, text, note.", "runs.filter", footer=True),
        Key("v", "overlay", "Overlay", "Draw its curve over the chart, or remove it.", "runs.overlay", footer=True),
        Key("d", "differences", "Differences", "Compare it with the overlaid runs.", "runs.differences", footer=True),
        Key(
            "c",
            "settings",
            "Settings",
            "Show the settings in which the runs differ, the least loss first; or all runs again.",
            "runs.settings",
            footer=True,
        ),
        Key("p", "change('pin')", "Pin", "Keep it first, and undeleted; or unpin it.", "runs.pin", footer=True),
        Key("n", "change('note')", "Note", "Write a note on the run.", "runs.note", footer=True),
        Key("N", "change('rename')", "Rename", "Give the run another name.", "runs.rename", footer=True),
        Key("space", "mark", "Mark", "Mark the run, to delete several at once; or unmark it.", "runs.mark"),
        Key("x,delete", "delete", "Delete", "Delete it, or all marked; asks.", "runs.delete", footer=True, display="x"),
        Key("escape", "leave_filter", "Leave filter", "Show all runs again.", "runs.leave_filter", footer=True),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(
        self, backend: Backend, jobs: Jobs, followers: RunFollowers, training: OwnTraining, *, read_only: bool
    ) -> None:
        """read_only: runs are shown, not changed."""
        super().__init__()
        self._backend, self._jobs, self._followers = backend, jobs, followers
        self._training, self._read_only = training, read_only
        self._rows: list[RunRow] = []
        self._order = next(iter(ORDERS))
        self._shows_settings = False
        self._overlaid: list[str] = []  # names, in the order of their letters
        self._marked: set[str] = set()  # names
        words = "words of name, state, text or note; Esc shows all runs"
        self._filter = TextField(placeholder=words, id="filter")
        self._table = RunsTable()
        self._empty = Static("", id="empty", markup=False)
        self._unreadable: dict[str, str] = {}  # names of other people's runs, and their owners
        self._summary = Static("", id="arranged", markup=False)
        self._actions = RunActions(self._table, followers, self._read, self._renamed)
        self._changes = {"pin": self._actions.pin, "note": self._actions.note, "rename": self._actions.rename}

    def compose(self) -> ComposeResult:
        yield self.header
        yield self._empty
        yield self._filter
        yield self._table
        yield self._summary
        yield KeyFooter()

    def on_mount(self) -> None:
        self._table.focus()
        self.set_interval(_REFRESH_SECONDS, self._refresh_rows)

    def on_screen_resume(self) -> None:
        self._refresh_rows()

    def on_resize(self) -> None:
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that change runs are disabled with --read-only, and all keys of runs if there are none."""
        if action == "leave_filter":
            return self.has_class("-filtering")
        offered = bool(self._rows) and not (self._read_only and action in _CHANGING)
        return offered and super().check_action(action, parameters)

    def show_status(self, status: Sequence[str]) -> None:
        """Draw the rows together with the header, so that both show the same moment."""
        if status != self.header.status:
            self._draw()
        super().show_status(status)

    # -- the table ----------------------------------------------------------------------------------------------------

    def _refresh_rows(self) -> None:
        if self.is_current and not self._jobs.pending(_READ):
            self._read()

    def _read(self) -> None:
        """Read in the background what has changed: a long history takes a while."""

        def read(token: CancelToken) -> list[RunRow]:
            rows = []
            self._unreadable = unreadable_runs(self._backend.runs_directory)
            for run in self._backend.runs():
                token.check()
                rows.append(row_of(run, self._followers))
            return rows

        self._jobs.submit(_READ, read, self._show_rows)

    def _show_rows(self, rows: list[RunRow]) -> None:
        came = bool(rows) != bool(self._rows)
        self._rows = rows
        if came:
            self.refresh_bindings()
        self._marked &= {row.run.name for row in rows}
        self._draw()

    def _draw(self) -> None:
        if self.is_mounted and self.size.width:
            self.set_class(not self._rows, "-empty")
            which = "No runs that you may read." if self._unreadable else "No runs yet."
            self._empty.update(f"{which} 1 trains one on a text of yours.")
            rows = arranged(self._rows, self._order, self._filter.value)
            marks = dict.fromkeys(self._marked, f"{MARK} ")
            for index, name in enumerate(self._overlaid):
                marks[name] = f"{marks.get(name, '')}{overlay_letter(index)}) "
            self._table.show(rows, self._columns(rows), marks)
            self._summarize()

    def _columns(self, rows: Sequence[RunRow]) -> tuple[str, ...]:
        if self._shows_settings:
            return (NAME, BEST, *differing_settings(rows), STATE)
        return columns_for(self.size.width)

    @on(DataTable.RowHighlighted)
    def _summarize(self) -> None:
        """Show number, size and order of the runs; and the note, for which narrow screens have no column."""
        shown, chosen = self._table.shown, self._table.chosen
        parts = [f"{len(shown)} run{'s' * (len(shown) != 1)}, {size(sum(row.size_bytes for row in shown))}"]
        parts.append(f"sorted by {self._order}")
        if TRAIN in self._columns(shown):
            parts.append("losses in nats/char")
        if hidden := len(self._rows) - len(shown):
            parts.append(f"{hidden} filtered out")
        if marked := self._marked_rows:
            parts.append(f"{len(marked)} marked, {size(sum(row.size_bytes for row in marked))}")
        if len({batches_of(row) for row in shown} - {""}) > 1:
            parts.append(f"{OTHER_BATCHES} not on {usual_batches(shown)} batches")
        parts += [f"{name}: unreadable, owned by {owner}" for name, owner in self._unreadable.items()]
        if chosen is not None and chosen.tag.note:
            parts.append(f"{chosen.run.name}: {chosen.tag.note}")
        self._summary.update(" · ".join(parts))

    def action_sort(self) -> None:
        orders = list(ORDERS)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self._draw()

    def action_settings(self) -> None:
        """Show the settings in place of the other columns, or these again."""
        self._shows_settings = not self._shows_settings
        if self._shows_settings:
            self._order = BY_LOSS
        self._draw()

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.set_focus(self._filter)
        self._filter.select_all()

    @on(Input.Changed, "#filter")
    def _filter_changed(self) -> None:
        self._draw()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self._table.focus()
        self.set_class(bool(self._filter.value), "-filtering")

    def action_leave_filter(self) -> None:
        self._filter.value = ""
        self._filter_done()

    # -- the chosen run -----------------------------------------------------------------------------------------------

    @on(DataTable.RowSelected)
    def action_open(self) -> None:
        if (row := self._table.chosen) is not None:
            self.post_message(OpenRun(row.run))

    def action_play(self) -> None:
        if (row := self._table.chosen) is None:
            return
        if row.run.checkpoint_file() is None:
            self.notify(f"{row.run.name} has saved no checkpoint yet", severity="warning", markup=False)
        else:
            self.post_message(PlayRun(row.run))

    def action_resume(self) -> None:
        if (row := self._table.chosen) is not None:
            self._training.ask_and_resume(row.run, row.progress)

    def action_change(self, change: str) -> None:
        """Pin, note or rename the chosen run."""
        if (row := self._table.chosen) is not None:
            self._changes[change](row)

    @property
    def _marked_rows(self) -> list[RunRow]:
        return [row for row in self._table.shown if row.run.name in self._marked]

    def action_mark(self) -> None:
        if (row := self._table.chosen) is not None:
            self._marked ^= {row.run.name}
            self._table.action_cursor_down()
            self._draw()

    def action_delete(self) -> None:
        if (row := self._table.chosen) is not None:
            self._actions.delete(self._marked_rows or [row])

    # -- comparing ----------------------------------------------------------------------------------------------------

    def action_overlay(self) -> None:
        if (row := self._table.chosen) is None:
            return
        others = [name for name in self._overlaid if name != row.run.name]
        self._overlaid = others if len(others) < len(self._overlaid) else [*others, row.run.name]
        runs = {row.run.name: row.run for row in self._rows}
        self._overlaid = [name for name in self._overlaid if name in runs]  # not those that are deleted
        self.post_message(OverlayRuns([runs[name] for name in self._overlaid]))
        self._draw()

    def _renamed(self, before: str, name: str) -> None:
        self._overlaid = [name if overlaid == before else overlaid for overlaid in self._overlaid]

    def action_differences(self) -> None:
        if (chosen := self._table.chosen) is None:
            return
        others = [row for row in self._rows if row.run.name in self._overlaid and row is not chosen]
        if not others:
            self.notify("v chooses runs to compare with this one; then d shows the differences", markup=False)
        else:
            self.app.push_screen(HelpDialog([HelpSection(settings_diff([chosen, *others]), [])]))

"""Runs: what has been trained, what is in training, and the way to each."""

import time
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Static

from charrnn_tui.run.directory import RunDirectory, RunError
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.quantities import count, duration
from charrnn_tui.tui.screens.dialogs import Choice, ChoiceDialog
from charrnn_tui.tui.widgets.run_lines import GLYPHS, sparkline
from charrnn_tui.tui.widgets.studio_header import StudioHeader
from charrnn_tui.tui.world import World

_LOOK_SECONDS = 2.0
_COLUMNS = ("run", "state", "step", "best val", "curve", "model", "updated")


class RunsScreen(Screen[None]):
    """A table of all runs, the newest first. Enter opens one, `o` plays it, `x` deletes it."""

    HELP = """All runs, the newest first. State, steps done and asked for, the best validation loss in nats/char,
its course, the model's layers × hidden units, when something was last written.

Enter  open the run with its curves and samples
o      play with its best checkpoint
r      go on with it where it ended
x      delete it with all its files (asks)"""

    DEFAULT_CSS = """
    RunsScreen DataTable { height: 1fr; }
    RunsScreen #empty { padding: 1 2; height: 1fr; display: none; }
    RunsScreen.-empty #empty { display: block; }
    RunsScreen.-empty DataTable { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="runs.open", show=True),
        Binding("o", "play", "Play with it", id="runs.play"),
        Binding("r", "resume", "Resume", id="runs.resume"),
        Binding("x,delete", "delete", "Delete", id="runs.delete"),
    ]

    class OpenRun(Message):
        """Show this run on the training screen."""

        def __init__(self, run: RunDirectory) -> None:
            super().__init__()
            self.run = run

    class PlayRun(Message):
        """Play with this run's best checkpoint."""

        def __init__(self, run: RunDirectory) -> None:
            super().__init__()
            self.run = run

    class ResumeRun(Message):
        """Go on with this run where it ended."""

        def __init__(self, run: RunDirectory, progress: RunProgress) -> None:
            super().__init__()
            self.run, self.progress = run, progress

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self._runs: dict[str, RunDirectory] = {}
        self._known: dict[str, tuple[tuple[int, int], RunProgress]] = {}  # by path: the log's size and time, its fold

    def compose(self) -> ComposeResult:
        yield StudioHeader()
        yield Static("No runs yet. 1 trains one on a text of yours.", id="empty", markup=False)
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for column in _COLUMNS:
            table.add_column(column, key=column)
        table.focus()
        self.look()
        self.set_interval(_LOOK_SECONDS, self.look)

    def on_screen_resume(self) -> None:
        self.look()

    def look(self) -> None:
        """Read what has changed, if anybody sees it."""
        if self.is_current:
            self._read()

    @work(thread=True, exclusive=True, group="runs")
    def _read(self) -> None:
        """Fold the logs that have grown; off the UI's thread, since a long history takes a while."""
        rows = [(run, self._progress(run)) for run in self._world.runs()]
        self.app.call_from_thread(self._show, rows)

    def _progress(self, run: RunDirectory) -> RunProgress:
        stat = run.events_file.stat()
        stamp = (stat.st_size, stat.st_mtime_ns)
        known = self._known.get(str(run.path))
        if known is None or known[0] != stamp or not known[1].ended:
            known = (stamp, run.progress())
            self._known[str(run.path)] = known
        return known[1]

    def _show(self, rows: list[tuple[RunDirectory, RunProgress]]) -> None:
        """Update cells in place, so that the cursor stays; begin anew where runs have come or gone."""
        self.set_class(not rows, "-empty")
        table = self.query_one(DataTable)
        if [run.name for run, _ in rows] != list(self._runs):
            chosen = self._chosen()
            self._runs = {run.name: run for run, _ in rows}
            table.clear()
            for run, progress in rows:
                table.add_row(*_cells(run, progress), key=run.name)
            if chosen is not None and chosen.name in self._runs:
                table.move_cursor(row=list(self._runs).index(chosen.name))
            return
        for run, progress in rows:
            for column, cell in zip(_COLUMNS, _cells(run, progress), strict=True):
                if table.get_cell(run.name, column) != cell:
                    table.update_cell(run.name, column, cell, update_width=True)

    def _chosen(self) -> RunDirectory | None:
        row = self.query_one(DataTable).cursor_row
        names = list(self._runs)
        return self._runs[names[row]] if 0 <= row < len(names) else None

    @on(DataTable.RowSelected)
    def action_open(self) -> None:
        if (run := self._chosen()) is not None:
            self.post_message(self.OpenRun(run))

    def action_play(self) -> None:
        if (run := self._chosen()) is None:
            return
        if run.checkpoint_file() is None:
            self.notify(f"{run.name} has saved no checkpoint yet", severity="warning", markup=False)
        else:
            self.post_message(self.PlayRun(run))

    def action_resume(self) -> None:
        if (run := self._chosen()) is not None:
            self.post_message(self.ResumeRun(run, self._known[str(run.path)][1]))

    def action_delete(self) -> None:
        if (run := self._chosen()) is None:
            return
        files = sorted(path.name for path in run.path.iterdir())
        question = f"Delete the run {run.name} for good?\n{run.path}\n{', '.join(files)}"
        dialog = ChoiceDialog(question, [Choice("y", "delete it", "delete")])
        self.app.push_screen(dialog, lambda answer: self._delete(run) if answer == "delete" else None)

    def _delete(self, run: RunDirectory) -> None:
        try:
            run.delete()
        except RunError as error:
            self.notify(str(error), severity="error", markup=False)
        self.look()


def _cells(run: RunDirectory, progress: RunProgress) -> list[Text]:
    started, best = progress.started, progress.best_evaluation
    steps = f"{count(progress.step)}/{count(started.steps)}" if started else ""
    model = f"{started.settings.get('n_layers', '?')}×{started.settings.get('n_hidden', '?')}" if started else ""
    age = f"{duration(max(0.0, time.time() - progress.updated))} ago" if progress.updated else ""
    words = [
        run.name,
        f"{GLYPHS[progress.state]} {progress.state}",
        steps,
        f"{best.val_loss:.4f}" if best else "",
        sparkline(list(progress.val_losses), 12),
        model,
        age,
    ]
    return [Text(word) for word in words]

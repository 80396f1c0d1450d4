"""Train: the form of a new run, then the run."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher, Input

from charrnn_tui.playground.backend import Backend
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.chart.loss_chart import LossChart
from charrnn_tui.tui.dialogs.questions import HelpDialog
from charrnn_tui.tui.key_footer import KeyFooter
from charrnn_tui.tui.messages import DetachRun, ResumeRun, StartRun
from charrnn_tui.tui.studio_header import StudioHeader
from charrnn_tui.tui.train.form import TrainForm
from charrnn_tui.tui.train.run_view import LOOK_SECONDS, LOOK_SECONDS_ON_THIN_LINES, RunView
from charrnn_tui.tui.train.steering import STEERING, SteeringRuns

_LOOK_SECONDS = 0.5


class TrainScreen(SteeringRuns):
    """Shows the form or a run, whoever trains it; asks the app to start, resume and detach runs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "start", "Start", id="train.start", priority=True),
        Binding("r", "resume", "Resume", id="train.resume"),
        Binding("D,upper_d", "detach", "Detach", id="train.detach"),
        Binding("A,upper_a", "alarms", "Alarms", id="train.alarms", show=False),
        Binding("n", "new", "New run", id="train.new"),
        Binding("escape", "back", "Back", id="train.back", show=False),
        # First in line, so that what is typed right behind them goes to the next field, also when keys come in bursts.
        Binding("tab", "app.focus_next", "Next field", id="train.next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", "Previous field", id="train.previous", show=False, priority=True),
    ]

    def __init__(self, backend: Backend, *, read_only: bool = False, low_bandwidth: bool = False) -> None:
        """`read_only`: nothing is asked of the trainers of runs. `low_bandwidth`: these are drawn less often."""
        super().__init__()
        self._backend = backend
        self._read_only = read_only
        self._run_look_seconds = LOOK_SECONDS_ON_THIN_LINES if low_bandwidth else LOOK_SECONDS
        self._was_steerable = (False, False)
        self._overlaid: Sequence[RunDirectory] = ()
        self._text = ""
        self._pending: RunDirectory | None = None  # the run to show, also before there are widgets to show it
        self._composed = False

    def compose(self) -> ComposeResult:
        yield StudioHeader()
        with ContentSwitcher(initial="form"):
            yield TrainForm(self._backend, self._text, id="form")
            yield RunView(look_seconds=self._run_look_seconds, id="run")
        yield KeyFooter()

    def on_mount(self) -> None:
        self._composed = True
        self.set_interval(_LOOK_SECONDS, self._renew_keys)
        if self._overlaid:
            self.call_after_refresh(self.lay_over, self._overlaid)
        if self._pending is not None:
            self._bring_up_run()
        else:
            self.set_focus(self.query_one("#corpus", Input))  # now: what is typed behind 1 is the text

    def shown(self) -> tuple[RunDirectory | None, RunProgress]:
        """The run that is shown and what it has come to; (None, …) before there is one."""
        view = self.query_one_optional("#run", RunView)  # none before composing, nor when taken down
        return (None, RunProgress()) if view is None else (view.run, view.progress)

    def paused_elsewhere(self) -> tuple[Path, int] | None:
        """The run that is shown and its step, where another process has paused it."""
        run, progress = self.shown()
        paused = run is not None and self.active is None and progress.state == "paused" and run.last_file.exists()
        return (run.path, progress.step) if run is not None and paused else None

    @property
    def shows_form(self) -> bool:
        """Whether the form is up, not a run."""
        return self.query_one(ContentSwitcher).current == "form"

    def show_text(self, path: str) -> None:
        """Bring up the form, filled for this text; before the screen is up too."""
        self._text = path
        if self._composed:
            self._show_form()
            self.query_one(TrainForm).show_text(path)

    def show_run(self, run: RunDirectory, active: ActiveRun | None = None) -> None:
        """Bring up a run; `active` where this process trains it. Before the screen is up too."""
        self._pending, self.active = run, active
        if self._composed:
            self._bring_up_run()

    def lay_over(self, runs: Sequence[RunDirectory]) -> None:
        """Draw the validation of these runs too, beside that of the run that is shown."""
        self._overlaid = runs
        if self._composed:
            self.run_view.lay_over(runs)

    def _bring_up_run(self) -> None:
        assert self._pending is not None
        self.query_one(ContentSwitcher).current = "run"
        self.run_view.follow(self._pending, own=self.active is not None)
        self.query_one(LossChart).focus()
        self.refresh_bindings()

    def refuse(self, problem: str) -> None:
        """The run that was asked for could not be started."""
        self.query_one(TrainForm).refuse(problem)

    def _show_form(self) -> None:
        self.query_one(ContentSwitcher).current = "form"
        self.set_focus(self.query_one("#corpus", Input))
        self.refresh_bindings()

    @on(TrainForm.Submitted)
    def _submitted(self, event: TrainForm.Submitted) -> None:
        self.post_message(StartRun(event.request))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that mean nothing now are not offered."""
        if action == "start":
            return not self._composed or self.shows_form
        if action in STEERING:
            return self._steerable
        if action == "detach":
            return self._steerable and self.active is not None
        if action == "resume":
            return self._resumable
        if action == "alarms":
            return self._composed and not self.shows_form and bool(self.run_view.progress.alarms)
        if action == "new":
            return self._composed and not self.shows_form
        return True

    @property
    def _steerable(self) -> bool:
        """Whether there is a trainer to ask: in this process or in another."""
        if not self._composed or self.shows_form or self._read_only:
            return False
        if self.active is not None:
            return not self.active.done
        return self.run_view.progress.started is not None and not self.run_view.progress.ended

    @property
    def _resumable(self) -> bool:
        shown = self._composed and not self.shows_form and not self._read_only
        return shown and self.run_view.progress.ended and (self.active is None or self.active.done)

    def _renew_keys(self) -> None:
        """Another process's run ends without a key of ours."""
        if (now := (self._steerable, self._resumable)) != self._was_steerable:
            self._was_steerable = now
            self.refresh_bindings()

    def action_start(self) -> None:
        self.query_one(TrainForm).submit()

    def action_alarms(self) -> None:
        alarms = self.run_view.progress.alarms
        told = "\n\n".join(f"{alarm.kind}, step {alarm.step:,}\n{alarm.message}" for alarm in reversed(alarms))
        self.app.push_screen(HelpDialog(f"Alarms of this run, the last first\n\n{told}"))

    def action_resume(self) -> None:
        if self.run_view.run is not None:
            self.post_message(ResumeRun(self.run_view.run, self.run_view.progress))

    def action_detach(self) -> None:
        self.post_message(DetachRun())

    def action_new(self) -> None:
        if self.active is not None and not self.active.done:
            self.notify("a run is in training here: x stops it first", severity="warning", markup=False)
        else:
            self._show_form()

    def action_back(self) -> None:
        """Out of a field first; the form gives the keys back to the screen."""
        if isinstance(self.focused, Input):
            self.set_focus(None)

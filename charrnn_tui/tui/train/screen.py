"""Train: the form of a new run, or a run and the keys that control its training."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.run.config import TrainDefaults
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.follower import RunFollowers
from charrnn_tui.tui.dialogs.help import HelpDialog, HelpSection
from charrnn_tui.tui.key_footer import KeyFooter
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.messages import PlayRun
from charrnn_tui.tui.own_training import OwnTraining
from charrnn_tui.tui.studio_screen import StudioScreen
from charrnn_tui.tui.train.form import TrainForm
from charrnn_tui.tui.train.run_studies import RunStudies
from charrnn_tui.tui.train.run_view import RunView
from charrnn_tui.tui.train.trainer_controls import TrainerControls


class TrainScreen(StudioScreen):
    """Shows the form or a run, whoever trains it; starts, resumes and detaches runs."""

    AUTO_FOCUS = ""  # coming back changes no focus: a key pressed then would be typed into a field
    MODE = "train"
    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("space", "ask('pause')", "Pause", "Pause after this step, or go on.", "train.pause", footer=True),
        Key("s", "ask('sample')", "Sample", "Write a sample with the model as it is now.", "train.sample", footer=True),
        Key("S", "ask('save')", "Save", "Save the model after this step.", "train.save", footer=True),
        Key("x", "ask('stop')", "Stop", "Save and stop the run; asks first. r resumes it.", "train.stop", footer=True),
        Key("E", "ask('end_epoch')", "End after epoch", "End after this epoch.", "train.end_after_epoch", footer=True),
        Key("L", "ask('rate')", "Learning rate", "Type a new rate, or a factor.", "train.learning_rate", footer=True),
        Key("asterisk", "ask('double_rate')", "Rate ×2", "Double the learning rate.", "train.double_rate", display="*"),
        Key("slash", "ask('halve_rate')", "Rate ÷2", "Halve the learning rate.", "train.halve_rate"),
        Key("T", "ask('steps')", "Run N steps", "Type a number of steps, to do and then pause.", "train.steps"),
        Key("M", "ask('epochs')", "More epochs", "Add epochs to the plan of this run.", "train.more_epochs"),
        Key("f5", "start", "Start", "Start the run of the form.", "train.start", footer=True, priority=True),
        Key("r", "resume", "Resume", "Resume the run from where it ended.", "train.resume", footer=True),
        Key("D", "detach", "Detach", "Quit; another process goes on with the training.", "train.detach", footer=True),
        Key("i", "inside", "Look inside", "N-grams and other studies of the run.", "train.inside", footer=True),
        Key("m", "play_best", "Play best", "Play with the best model of this run.", "train.play_best"),
        Key("A", "alarms", "Alarms", "Show all alarms of this run, the newest first.", "train.alarms"),
        Key("n", "new", "New run", "Fill in the form of a new run.", "train.new", footer=True),
        Key(
            "escape", "leave_field", "Leave field", "Leave the field; letters are keys then.", "train.back", footer=True
        ),
        Key("f2", "choose_text", "Choose text", "Choose from the texts that there are.", "train.text", footer=True),
        Key("f4", "skip_licence", "Leave licence out", "Leave out the licence.", "train.skip_licence", footer=True),
        Key("escape", "show_runs", "Runs", "Go back to the list of runs.", "train.runs", footer=True, in_field=False),
        # With priority, so that letters typed right behind them reach the next field even if keys come in bursts.
        Key("tab", "app.focus_next", "Next", "Go to the next field.", "train.next", in_field=True, priority=True),
        Key("shift+tab", "app.focus_previous", "Previous", "Go back.", "train.previous", in_field=True, priority=True),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(
        self,
        backend: Backend,
        jobs: Jobs,
        followers: RunFollowers,
        training: OwnTraining,
        *,
        read_only: bool,
        defaults: TrainDefaults,
    ) -> None:
        """read_only: trainers are asked nothing. defaults: of the form."""
        super().__init__()
        self.form = TrainForm(backend, jobs, followers, training, defaults)
        self.run_view = RunView(followers)
        self.run_view.display = False
        self._training, self._trainer = training, TrainerControls(self.run_view, read_only)
        self._studies = RunStudies(self.run_view, backend, jobs)
        self._offered: Sequence[bool] = ()  # whether there is a trainer to ask, a run to resume, an alarm to show …

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.form
        yield self.run_view
        yield KeyFooter()

    def on_mount(self) -> None:
        self._focus_shown()  # at once: a text may be typed right behind the key 1

    # -- for the app --------------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Show what is new of the run, and the keys that act now: it may end without a key of ours."""
        self.run_view.poll()
        offered = [self._acts(action) for action in ("ask", "resume", "play_best", "alarms", "skip_licence")]
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    def run_to_play(self) -> tuple[Path, int] | None:
        """The directory of the run in view, and the step at which another process has paused it, or else 0."""
        run, progress, own = self.run_view.run, self.run_view.progress, self.run_view.active
        if self.shows_form or run is None or not ((own is not None and not own.done) or run.checkpoint_file()):
            return None
        paused = own is None and progress.state == "paused" and run.last_file.exists()
        return run.path, progress.step if paused else 0

    def show_text(self, path: str) -> None:
        """Show the form, filled in for this text; possible before the screen is mounted."""
        self.form.show_text(path)
        self.show_form()

    def show_form(self) -> None:
        """Show the form as it was left."""
        self._show(form=True)

    def train_on(self, model: str, old_text: str) -> None:
        """Show the form for a run that starts from this model, unless a run is in training here."""
        self.action_new()
        if self.shows_form:
            self.form.show_start(model, old_text)

    def show_run(self, run: RunDirectory) -> None:
        """Show a run; possible before the screen is mounted."""
        self.run_view.follow(run)
        self._show(form=False)

    def _show(self, *, form: bool) -> None:
        self.form.display, self.run_view.display = form, not form
        if self.is_mounted:
            self._focus_shown()
            self.refresh_bindings()

    def _focus_shown(self) -> None:
        self.set_focus(self.form.text if self.shows_form else self.run_view.chart)

    # -- which keys act -----------------------------------------------------------------------------------------------

    @property
    def shows_form(self) -> bool:
        """Whether the form is shown, and not a run."""
        return not self.run_view.display

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that can do nothing now are not offered."""
        return self._acts(action) and super().check_action(action, parameters)

    def _acts(self, action: str) -> bool:
        if action == "leave_field":
            return self.typing
        if action == "skip_licence":
            return self.shows_form and self.form.has_licence
        if self.shows_form:
            return action not in ("ask", "resume", "detach", "inside", "play_best", "alarms", "new", "show_runs")
        trainer = self._trainer
        acting = {
            "start": False,
            "choose_text": False,
            "ask": trainer.available,
            "resume": trainer.can_resume,
            "detach": trainer.available and trainer.trains_here,
            "play_best": self.run_view.run is not None and self.run_view.run.checkpoint_file() is not None,
            "alarms": bool(self.run_view.progress.alarms),
        }
        return acting.get(action, True)

    # -- the form -----------------------------------------------------------------------------------------------------

    def action_start(self) -> None:
        self.form.submit()

    def action_choose_text(self) -> None:
        self.form.choose_text()

    def action_skip_licence(self) -> None:
        self.form.leave_out_licence()

    def action_new(self) -> None:
        if self._trainer.trains_here:
            self.notify("a run is in training here: x stops it first", severity="warning", markup=False)
        else:
            self.show_form()

    def action_leave_field(self) -> None:
        self.set_focus(None)

    def action_show_runs(self) -> None:
        self.app.switch_mode("runs")

    # -- the run ------------------------------------------------------------------------------------------------------

    def action_ask(self, request: str) -> None:
        self._trainer.requests[request]()

    def action_resume(self) -> None:
        if self.run_view.run is not None:
            self._training.ask_and_resume(self.run_view.run, self.run_view.progress)

    def action_detach(self) -> None:
        self._training.hand_over()

    def action_inside(self) -> None:
        self._studies.open()

    def action_play_best(self) -> None:
        if self.run_view.run is not None:
            self.post_message(PlayRun(self.run_view.run))

    def action_alarms(self) -> None:
        alarms = reversed(self.run_view.progress.alarms)
        rows = [(f"{alarm.kind}, step {alarm.step:,}", alarm.message) for alarm in alarms]
        self.app.push_screen(HelpDialog([HelpSection("Alarms of this run, the newest first", rows)]))

"""The full-screen app: three screens, and the training that none of them owns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.screen import Screen

from charrnn_tui.tui.alarm_bell import GIVE_TITLE_BACK, KEEP_TITLE, SERIOUS, TOAST_SECONDS, AlarmBell, title_sequence
from charrnn_tui.tui.control_filter import ControlFilter
from charrnn_tui.tui.model_source import ModelSource, source_of, source_of_checkpoint
from charrnn_tui.tui.requests import DetachRun, OpenRun, OverlayRuns, PlayRun, ResumeRun, StartRun
from charrnn_tui.tui.run_starter import RunStarter
from charrnn_tui.tui.screens.play import PlayScreen
from charrnn_tui.tui.widgets.run_lines import status_line
from charrnn_tui.tui.widgets.studio_header import StudioHeader

if TYPE_CHECKING:
    from charrnn_tui.run.directory import RunDirectory
    from charrnn_tui.run.events import AlarmRaised
    from charrnn_tui.run.progress import RunProgress
    from charrnn_tui.run.settings import RunRequest
    from charrnn_tui.tui.active_run import ActiveRun
    from charrnn_tui.tui.screens.runs import RunsScreen
    from charrnn_tui.tui.screens.train import TrainScreen
    from charrnn_tui.tui.world import World

_LOOK_SECONDS, _LOOK_SECONDS_ON_THIN_LINES = 0.5, 3.0


@dataclass(frozen=True)
class Opening:
    """What the app shows first: a checkpoint to play, a text to train on, a run, or a run to start at once.

    session: of the playground, to be brought back instead of opening the checkpoint.
    resume: go on with `run` at once, with these settings changed. read_only: ask nothing of any trainer. low_bandwidth:
    draw a run less often.
    """

    checkpoint: Path | None = None
    session: Path | None = None
    text: str | None = None
    run: RunDirectory | None = None
    start: RunRequest | None = None
    resume: Mapping[str, Any] | None = None
    read_only: bool = False
    low_bandwidth: bool = False


class StudioApp(App[None]):
    """Owns the training thread; screens ask it to start, open and quit."""

    TITLE = "charrnn-tui"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "show('train')", "Train", id="app.train", show=False),
        Binding("2", "show('play')", "Play", id="app.play", show=False),
        Binding("3", "show('runs')", "Runs", id="app.runs", show=False),
        Binding("question_mark", "help", "Help", id="app.help", key_display="?"),
        Binding("colon", "command_palette", "Commands", id="app.palette", show=False, key_display=":"),
        Binding("ctrl+p", "command_palette", "Commands", id="app.palette_always", show=False, priority=True),
        Binding("q", "quit", "Quit", id="app.quit"),
        Binding("ctrl+q", "quit", "Quit", id="app.quit_always", show=False, priority=True),
    ]

    def __init__(self, world: World, opening: Opening) -> None:
        self._control_filter = ControlFilter()
        first = "train" if opening.start or opening.text is not None or opening.run else "play"
        self.DEFAULT_MODE = first  # type: ignore[misc]  # no empty screen before it, which would be styled and laid out
        super().__init__()
        self._world = world
        self._opening = opening
        self.active_run: ActiveRun | None = None
        self._quitting: int | None = None  # the exit code, once asked to
        self.detached: RunDirectory | None = None  # the run that was left to another process
        self._starter = RunStarter(self, world, self._started)
        self._bell = AlarmBell()
        self._retitled = False
        self._played_pause: tuple[Path, int] | None = None  # of another process, and its step

    @cached_property
    def _play(self) -> PlayScreen:
        return PlayScreen(self._world, lambda: self.active_run)

    @cached_property
    def _train(self) -> TrainScreen:
        from charrnn_tui.tui.screens.train import TrainScreen  # the playground's first frame does not wait for it

        opening = self._opening
        return TrainScreen(self._world, read_only=opening.read_only, low_bandwidth=opening.low_bandwidth)

    @property
    def _train_was_shown(self) -> bool:
        return "_train" in vars(self)

    @cached_property
    def _runs(self) -> RunsScreen:
        from charrnn_tui.tui.screens.runs import RunsScreen  # as above

        return RunsScreen(self._world, read_only=self._opening.read_only)

    def get_default_screen(self) -> Screen[None]:
        """The first screen, told what to show."""
        opening = self._opening
        if opening.checkpoint is not None:
            self._play.open_source(source_of_checkpoint(opening.checkpoint, self._world))
        if opening.session is not None:
            self._play.begin_with(opening.session)
        if opening.start is not None:
            self._train.show_text(opening.start.corpus[0])
        if opening.text is not None:
            self._train.show_text(opening.text)
        if opening.run is not None:
            self._train.show_run(opening.run)
        return self._train if self.DEFAULT_MODE == "train" else self._play

    def on_mount(self) -> None:
        for mode, screen in (
            ("train", lambda: self._train),
            ("play", lambda: self._play),
            ("runs", lambda: self._runs),
        ):
            self.add_mode(mode, screen)
        opening = self._opening
        if opening.start is not None:
            self._starter.start(opening.start, self._train.refuse)
        if opening.run is not None and opening.resume is not None:
            self._starter.resume(opening.run, opening.resume)
        self.set_interval(_LOOK_SECONDS_ON_THIN_LINES if opening.low_bandwidth else _LOOK_SECONDS, self._look)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every line passes on its way to the terminal."""
        return [*super().get_line_filters(), self._control_filter]

    def get_key_display(self, binding: Binding) -> str:
        """As keyboards name their keys: F2, where Textual says f2."""
        display = super().get_key_display(binding)
        return display.upper() if binding.key.startswith("f") and binding.key[1:].isdecimal() else display

    async def on_key(self, event: events.Key) -> None:
        """What was sent off to another pane before the focus had moved to a field; a field lets no letter come here."""
        field = self.focused
        if field is not None and field.check_consume_key(event.key, event.character):
            await field.on_event(event)

    # -- the training -------------------------------------------------------------------------------------------------

    @on(StartRun)
    def _start_asked(self, event: StartRun) -> None:
        if self.active_run is not None and not self.active_run.done:
            self._train.refuse("a run is in training here already: stop it first")
        else:
            self._starter.start(event.request, self._train.refuse)

    @on(ResumeRun)
    def _resume_asked(self, event: ResumeRun) -> None:
        from charrnn_tui.tui.screens.resume_question import resume_question  # dialogs: not before they are shown

        run = event.run
        if not event.progress.ended:
            self.notify(f"{run.name} is in training", severity="warning", markup=False)
            return
        asked = resume_question(run.name, event.progress)
        if asked is None:
            self._resume_here(run, {})
        else:
            dialog, changes = asked
            self.push_screen(dialog, lambda answer: self._resume_here(run, changes(answer)) if answer else None)

    def _resume_here(self, run: RunDirectory, changes: Mapping[str, Any]) -> None:
        if self.active_run is not None and not self.active_run.done:
            name = self.active_run.directory.name
            self.notify(f"{name} is in training here already: stop it first", severity="warning", markup=False)
        else:
            self.notify(f"resuming {run.name} …", markup=False)
            self._starter.resume(run, changes)

    @on(DetachRun)
    def _detach_asked(self) -> None:
        if self.active_run is not None and not self.active_run.done:
            self.notify("another process is getting ready to take over …", markup=False)
            self._starter.hand_over(self.active_run, self._handed_over)

    def _handed_over(self) -> None:
        assert self.active_run is not None
        self.detached = self.active_run.directory
        self.exit()

    def _started(self, active: ActiveRun) -> None:
        self.active_run = active
        self.switch_mode("train")
        self._train.show_run(active.directory, active)
        self._play.open_source(ModelSource("live", active.directory.path))
        if self._quitting is not None:
            active.stop()

    def _look(self) -> None:
        """Twice a second: the header's words, a training that failed to start, the end that a quitter waits for."""
        active = self.active_run
        if active is not None and active.done:
            if self._quitting is not None:
                self.exit(return_code=self._quitting)
            elif active.error is not None:
                self._train_failed(active, active.error)
        if self.screen_stack:  # empty for a moment while another mode is brought up
            for header in self.screen.query(StudioHeader):
                header.status = self._status()
        if active is not None:
            self._bell.hear(active.directory.name, active.progress(), self)
        shown = self._shown()
        if shown is not None and (active is None or shown[0].path != active.directory.path):
            self._bell.hear(shown[0].name, shown[1], self)

    def tell_alarm(self, name: str, alarm: AlarmRaised) -> None:
        """Bell, toast, and the terminal's title, which tells it in a list of windows too."""
        self.bell()
        severity: SeverityLevel = "error" if alarm.kind in SERIOUS else "warning"
        self.notify(
            alarm.message, title=f"{name}: {alarm.kind}", severity=severity, timeout=TOAST_SECONDS, markup=False
        )
        self._write_to_terminal(("" if self._retitled else KEEP_TITLE) + title_sequence(f"! {name}: {alarm.kind}"))
        self._retitled = True

    def exit(self, *args: Any, **named: Any) -> None:
        """As ever; the terminal gets its title back."""
        if self._retitled:
            self._retitled = False
            self._write_to_terminal(GIVE_TITLE_BACK)
        super().exit(*args, **named)

    def _write_to_terminal(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)

    def _train_failed(self, active: ActiveRun, error: Exception) -> None:
        self.log.error(error)
        active.error = None  # said once
        if not active.directory.events_file.exists():  # it never began
            self.active_run = None
            self._train.show_text(self._opening.text or "")
            self._train.refuse(str(error))
        else:
            self.notify(str(error) or type(error).__name__, title="The training failed", severity="error", markup=False)

    def _shown(self) -> tuple[RunDirectory, RunProgress] | None:
        """The run on the training screen and what it has come to, if there is one."""
        run, progress = self._train.shown() if self._train_was_shown else (None, None)
        return None if run is None or progress is None else (run, progress)

    def _status(self) -> str:
        if self._quitting is not None:
            return "saving …"
        if self.active_run is not None:
            return status_line(self.active_run.progress(), self.active_run.directory.name)
        shown = self._shown()
        return status_line(shown[1], shown[0].name) if shown is not None else ""

    # -- requests of the screens --------------------------------------------------------------------------------------

    @on(OpenRun)
    def _open_run(self, event: OpenRun) -> None:
        active = self.active_run
        own = active if active is not None and active.directory.path == event.run.path else None
        self.switch_mode("train")
        self._train.show_run(event.run, own)

    @on(OverlayRuns)
    def _lay_over(self, event: OverlayRuns) -> None:
        self._train.lay_over(event.runs)

    @on(PlayRun)
    def _play_run(self, event: PlayRun) -> None:
        self._play.open_source(source_of(str(event.run.path), self._world))
        self.switch_mode("play")

    # -- actions ------------------------------------------------------------------------------------------------------

    def action_show(self, mode: str) -> None:
        paused = self._train.paused_elsewhere() if self._train_was_shown else None
        if mode == "play" and paused is not None and paused != self._played_pause:
            self._played_pause = paused  # it has saved itself before it paused: played with as it is
            self._play.open_source(ModelSource("last", paused[0]))
        self.switch_mode(mode)

    def action_help(self) -> None:
        from charrnn_tui.tui.screens.dialogs import HelpDialog, help_text  # not before one is shown

        self.push_screen(HelpDialog(help_text(self.screen)))

    async def action_quit(self) -> None:
        """Quit; asks only where a training would be ended by it."""
        active = self.active_run
        if active is None or active.done:
            self.exit()
            return
        from charrnn_tui.tui.screens.dialogs import Choice, ChoiceDialog  # not before one is shown

        question = f"{active.directory.name} is in training."
        self.push_screen(ChoiceDialog(question, [Choice("s", "save, stop and quit", "stop")]), self._quit_answered)

    def _quit_answered(self, answer: str | None) -> None:
        if answer == "stop":
            self.quit_saving(0, "stopped", "the app was quit")

    def quit_saving(self, return_code: int, state: str, reason: str) -> None:
        """Quit with this exit code once the training, if there is one, has saved itself."""
        self._quitting = return_code
        if self.active_run is None or self.active_run.done:
            self.exit(return_code=return_code)
        else:
            self.active_run.stop(state, reason)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every key that acts now, by name, then Textual's own commands."""
        offered: set[str] = set()  # several keys may do the same
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.id and active.enabled and binding.action not in offered | {"command_palette"}:
                offered.add(binding.action)
                yield SystemCommand(
                    binding.description,
                    f"key {self.get_key_display(binding)}",
                    lambda action=binding.action, node=active.node: self._run_command(action, node),
                )
        yield from (command for command in super().get_system_commands(screen) if command.title != "Quit")

    def _run_command(self, action: str, node: object) -> None:
        self.call_later(self.run_action, action, node)

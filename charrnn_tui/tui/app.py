"""The full-screen app: three screens, and the training that none of them owns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import events, on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.screen import Screen
from textual.timer import Timer

from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.models import ModelSource, source_of
from charrnn_tui.tui.alarm_bell import AlarmBell, AlarmTeller
from charrnn_tui.tui.control_filter import ControlFilter
from charrnn_tui.tui.messages import DetachRun, OpenRun, OverlayRuns, PlayRun, ResumeRun, StartRun
from charrnn_tui.tui.own_training import OwnTraining
from charrnn_tui.tui.studio_header import StudioHeader
from charrnn_tui.tui.studio_screens import StudioScreens
from charrnn_tui.tui.train.run_lines import status_line

if TYPE_CHECKING:
    from charrnn_tui.playground.backend import Backend
    from charrnn_tui.run.active_run import ActiveRun
    from charrnn_tui.run.directory import RunDirectory
    from charrnn_tui.run.settings import RunRequest

_LOOK_SECONDS, _LOOK_SECONDS_ON_THIN_LINES = 0.5, 3.0
DRAIN_SECONDS: Final = 1 / 20  # between two hand-overs of what background jobs have done


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


class StudioApp(App["RunDirectory"]):
    """Screens ask it to start, open and quit. It returns the run that it has left to another process, if any."""

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

    def __init__(self, backend: Backend, opening: Opening) -> None:
        self._control_filter = ControlFilter()
        self.jobs = Jobs(self._resume_drain)
        self._drain: Timer | None = None
        self._screens = StudioScreens(backend, opening, lambda: self.active_run, self.jobs)
        first = self._screens.first_mode
        self.DEFAULT_MODE = first  # type: ignore[misc]  # no empty screen before it, which would be styled and laid out
        super().__init__()
        self._backend = backend
        self._opening = opening
        self._training = OwnTraining(self, backend, self._started)
        self._quitting: int | None = None  # the exit code, once asked to
        self._bell = AlarmBell()
        self._alarms = AlarmTeller(self, self._write_to_terminal)

    @property
    def active_run(self) -> ActiveRun | None:
        """The training of this process, or its last one."""
        return self._training.active

    def get_default_screen(self) -> Screen[None]:
        return self._screens.first()

    def on_mount(self) -> None:
        for mode, screen in (
            ("train", lambda: self._screens.train),
            ("play", lambda: self._screens.play),
            ("runs", lambda: self._screens.runs),
        ):
            self.add_mode(mode, screen)
        self._drain = self.set_interval(DRAIN_SECONDS, self._drain_jobs, pause=self.jobs.idle)
        opening = self._opening
        if opening.start is not None:
            self._training.start(opening.start, self._screens.train.refuse)
        if opening.run is not None and opening.resume is not None:
            self._training.resume(opening.run, opening.resume)
        self.set_interval(_LOOK_SECONDS_ON_THIN_LINES if opening.low_bandwidth else _LOOK_SECONDS, self._look)

    def on_unmount(self) -> None:
        self.jobs.close()

    def _resume_drain(self) -> None:
        if self._drain is not None:
            self._drain.resume()

    def _drain_jobs(self) -> None:
        self.jobs.drain()
        if self.jobs.idle and self._drain is not None:
            self._drain.pause()

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
        self._training.start(event.request, self._screens.train.refuse)

    @on(ResumeRun)
    def _resume_asked(self, event: ResumeRun) -> None:
        self._training.ask_and_resume(event.run, event.progress)

    @on(DetachRun)
    def _detach_asked(self) -> None:
        self._training.hand_over(self.exit)

    def _started(self, active: ActiveRun) -> None:
        self.switch_mode("train")
        self._screens.train.show_run(active.directory, active)
        self._screens.play.open_source(ModelSource("live", active.directory.path))
        if self._quitting is not None:
            active.stop()

    def _look(self) -> None:
        """Twice a second: the header's words, a training that failed to start, the end that a quitter waits for."""
        if self._quitting is not None and self.active_run is not None and self.active_run.done:
            self.exit(return_code=self._quitting)
        elif (error := self._training.failure()) is not None:
            self._train_failed(error)
        if self.screen_stack:  # empty for a moment while another mode is brought up
            for header in self.screen.query_children(StudioHeader):
                header.status = self._status()
        active, shown = self.active_run, self._screens.shown_run()
        if active is not None:
            self._bell.hear(active.directory.name, active.progress(), self._alarms)
        if shown is not None and (active is None or shown[0].path != active.directory.path):
            self._bell.hear(shown[0].name, shown[1], self._alarms)

    def exit(self, *args: Any, **named: Any) -> None:
        """As ever; the terminal gets its title back."""
        self._alarms.give_title_back()
        super().exit(*args, **named)

    def _write_to_terminal(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)

    def _train_failed(self, error: Exception) -> None:
        self.log.error(error)
        if self.active_run is None:  # it never began
            self._screens.train.show_text(self._opening.text or "")
            self._screens.train.refuse(str(error))
        else:
            self.notify(str(error) or type(error).__name__, title="The training failed", severity="error", markup=False)

    def _status(self) -> str:
        if self._quitting is not None:
            return "saving …"
        if self.active_run is not None:
            return status_line(self.active_run.progress(), self.active_run.directory.name)
        shown = self._screens.shown_run()
        return status_line(shown[1], shown[0].name) if shown is not None else ""

    # -- requests of the screens --------------------------------------------------------------------------------------

    @on(OpenRun)
    def _open_run(self, event: OpenRun) -> None:
        active = self.active_run
        own = active if active is not None and active.directory.path == event.run.path else None
        self.switch_mode("train")
        self._screens.train.show_run(event.run, own)

    @on(OverlayRuns)
    def _lay_over(self, event: OverlayRuns) -> None:
        self._screens.train.lay_over(event.runs)

    @on(PlayRun)
    def _play_run(self, event: PlayRun) -> None:
        self._screens.play.open_source(source_of(str(event.run.path), self._backend))
        self.switch_mode("play")

    # -- actions ------------------------------------------------------------------------------------------------------

    def action_show(self, mode: str) -> None:
        if mode == "play":
            self._screens.play_what_pauses()
        self.switch_mode(mode)

    def action_command_palette(self) -> None:
        from charrnn_tui.tui.dialogs.palette import Palette  # not before it is shown

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_help(self) -> None:
        from charrnn_tui.tui.dialogs.questions import HelpDialog, help_text  # not before one is shown

        self.push_screen(HelpDialog(help_text(self.screen)))

    async def action_quit(self) -> None:
        """Quit; asks only where a training would be ended by it."""
        active = self.active_run
        if active is None or active.done:
            self.exit()
            return
        from charrnn_tui.tui.dialogs.questions import Choice, ChoiceDialog  # not before one is shown

        def stop(answer: str | None) -> None:
            if answer == "stop":
                self.quit_saving(0, "stopped", "the app was quit")

        question = f"{active.directory.name} is in training."
        self.push_screen(ChoiceDialog(question, [Choice("s", "save, stop and quit", "stop")]), stop)

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
                    lambda action=binding.action, node=active.node: self.call_later(self.run_action, action, node),
                )
        yield from (command for command in super().get_system_commands(screen) if command.title != "Quit")

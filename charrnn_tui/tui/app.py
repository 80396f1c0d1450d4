"""The full-screen app: three screens, one training, and the background jobs."""

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import events, on
from textual.actions import ActionParseResult
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.timer import Timer

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.controls import configured_settings
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.models import ModelSource, source_of
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.ascii import in_ascii
from charrnn_tui.run.config import DEFAULTS, Config
from charrnn_tui.run.control import Ending
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.follower import RunFollowers
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.ascii_filter import AsciiFilter
from charrnn_tui.tui.control_filter import ControlFilter
from charrnn_tui.tui.dialogs.help import HelpDialog, help_for
from charrnn_tui.tui.dialogs.palette import Palette
from charrnn_tui.tui.dialogs.questions import Choice, ChoiceDialog
from charrnn_tui.tui.key_queue import KeyHandled, KeyQueue
from charrnn_tui.tui.keys import Key, bindings_of, key_name
from charrnn_tui.tui.messages import OpenRun, OverlayRuns, PlayRun, TrainOn
from charrnn_tui.tui.notifier import RunNotifier
from charrnn_tui.tui.opening import Opening
from charrnn_tui.tui.own_training import OwnTraining
from charrnn_tui.tui.play.screen import PlayScreen
from charrnn_tui.tui.studio_screen import StudioScreen
from charrnn_tui.tui.themes import OUR_THEMES, theme_names
from charrnn_tui.tui.train.run_lines import status_parts

if TYPE_CHECKING:  # see `train`
    from charrnn_tui.tui.runs.screen import RunsScreen
    from charrnn_tui.tui.train.screen import TrainScreen


POLL_SECONDS: Final = 0.5  # between two polls of the runs in view, for screen, header and alarms
POLL_SECONDS_ON_THIN_LINES: Final = 3.0
ERROR_SECONDS: Final = 6.0  # that an error is shown
IDLE_SECONDS: Final = 2.0  # after the first frame, when the other screens are imported
MOUNT_SECONDS: Final = 0.5  # after that, and between two of them, when each is mounted
OTHER_SCREENS: Final = tuple(f"charrnn_tui.tui.{name}.screen" for name in ("train", "runs", "compare"))
MODES: Final = ("train", "play", "runs")
_IMPORT: Final = "import the other screens"  # key of a job
_WIDGET_CLASSES: Final = 1000  # more than there are
DRAIN_SECONDS: Final = 1 / 100  # between two deliveries of the results of background jobs


class StudioApp(App[RunDirectory]):
    """Owns the screens and carries out their requests. Returns the run that was handed to another process, if any."""

    TITLE = "charrnn-tui"
    NOTIFICATION_TIMEOUT = 2  # seconds
    CSS_PATH = "app.tcss"
    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("1", "show('train')", "Train", "Go to the training screen.", "app.train"),
        Key("2", "show('play')", "Play", "Go to the playground.", "app.play"),
        Key("3", "show('runs')", "Runs", "Go to the list of runs.", "app.runs"),
        Key("question_mark", "help", "Help", "Show the keys of the pane in focus.", "app.help", footer=True),
        Key("f1", "help", "Help", "Show them from anywhere.", "app.help_always", footer=True),
        Key("colon", "command_palette", "Commands", "Find any command by its name.", "app.palette"),
        Key("ctrl+p", "command_palette", "Commands", "Find one from anywhere.", "app.palette_always", priority=True),
        Key("q", "quit", "Quit", "Quit; asks if a training would be lost.", "app.quit", footer=True),
        Key("ctrl+q", "quit", "Quit", "Quit from anywhere; asks as q does.", "app.quit_always", priority=True),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(
        self,
        backend: Backend,
        opening: Opening,
        config: Config = DEFAULTS,
        *,
        keymap: Mapping[str, str] | None = None,
        store_theme: Callable[[str], None] = lambda name: None,
        encoding: str = "utf-8",
    ) -> None:
        """keymap: as `checked_keymap` returns it. store_theme: called with a theme that the user has chosen.

        encoding: the terminal's, for `config.ascii`, which is true where it is not UTF-8.
        """
        self._own_filters: list[LineFilter] = [ControlFilter()]
        if config.ascii is True:
            self._own_filters.append(AsciiFilter(encoding))
        self._opening, self._config, self._store_theme = opening, config, store_theme
        self.keymap = dict(keymap or {})
        first = "train" if opening.start or opening.text is not None or opening.run else "play"
        self.DEFAULT_MODE = first  # type: ignore[misc]  # else Textual styles and lays out an empty screen before it
        super().__init__()
        for theme in OUR_THEMES:
            self.register_theme(theme)
        self.theme = config.theme
        self.set_keymap(self.keymap)
        # Textual keeps the rules of 64 widgets: with more it would parse every one again at the first of each kind.
        self.stylesheet._parse_cache.grow(_WIDGET_CLASSES)
        self._backend = backend
        self.jobs = Jobs(self._resume_drain)
        self._followers = RunFollowers()
        self._drain: Timer | None = None
        self._training = OwnTraining(self, backend, self.jobs, self._show_own_run)
        self._played: tuple[Path, int] | None = None  # the run that was played last from the training screen
        self._quitting: int | None = None  # the exit code, once asked to
        self.ending = False  # then no key acts any more
        self._keys = KeyQueue(self, super().on_event)
        self.notifier = RunNotifier(self, self._write_to_terminal, config.notifications)

    # Made when they are first used: a text field can only be made while the app runs.

    @cached_property
    def play(self) -> PlayScreen:
        defaults = configured_settings(self._config.play)
        return PlayScreen(self._backend, lambda: self.active_run, self.jobs, defaults=defaults)

    @cached_property
    def train(self) -> "TrainScreen":
        from charrnn_tui.tui.train.screen import TrainScreen  # an eighth of what the playground's first frame takes

        args = self._backend, self.jobs, self._followers, self._training
        return TrainScreen(*args, read_only=self._opening.read_only, defaults=self._config.train)

    @property
    def _made_train(self) -> "TrainScreen | None":
        """The training screen if it has been used; asking for it must not import it."""
        return vars(self).get("train")

    @cached_property
    def runs(self) -> "RunsScreen":
        from charrnn_tui.tui.runs.screen import RunsScreen  # as above

        return RunsScreen(self._backend, self.jobs, self._followers, self._training, read_only=self._opening.read_only)

    @property
    def active_run(self) -> ActiveRun | None:
        """The training of this process, or its last one."""
        return self._training.active

    def get_default_screen(self) -> Screen[Any]:
        """The first screen, which shows what was asked for."""
        opening = self._opening
        if opening.checkpoint is not None:
            self.play.open_source(source_of(opening.checkpoint, self._backend))
        if opening.session is not None:
            self.play.session = opening.session
        if opening.start is not None:
            self.train.show_text(opening.start.corpus[0])
        if opening.text is not None:
            self.train.show_text(opening.text)
        if opening.run is not None:
            self.train.show_run(opening.run)
        return self._styled(self.train if self.DEFAULT_MODE == "train" else self.play)

    def _styled(self, screen: StudioScreen) -> StudioScreen:
        """A new screen gets the styles of now; Textual would parse all of them again, twice, when it is first shown."""
        screen._css_update_count = self._css_update_count
        return screen

    def on_mount(self) -> None:
        self.add_mode("train", lambda: self._styled(self.train))
        self.add_mode("play", lambda: self._styled(self.play))
        self.add_mode("runs", lambda: self._styled(self.runs))
        self.set_timer(IDLE_SECONDS, self._import_screens)
        self._drain = self.set_interval(DRAIN_SECONDS, self._drain_jobs, pause=self.jobs.idle)
        opening = self._opening
        if opening.start is not None:
            self._training.start(opening.start, self.train.form.refuse)
        if opening.run is not None and opening.resume is not None:
            self._training.resume(opening.run, opening.resume)
        self.set_interval(POLL_SECONDS_ON_THIN_LINES if opening.low_bandwidth else POLL_SECONDS, self._poll)

    def on_unmount(self) -> None:
        self.jobs.close()

    def _import_screens(self) -> None:
        """Import what has been left out for a fast first frame, before a key has to wait for it; then mount it."""

        def mount(_: object) -> None:
            for number, mode in enumerate(MODES, 1):
                self.set_timer(number * MOUNT_SECONDS, partial(self._mount_screen, mode))
            # What is there now stays: no garbage collection needs to go through it, which would take a key's time.
            self.set_timer((len(MODES) + 1) * MOUNT_SECONDS, gc.freeze)

        self.jobs.submit(_IMPORT, lambda token: [import_module(name) for name in OTHER_SCREENS], mount)

    def delay_update(self, delay: float = 0.05) -> None:
        """Draw another screen at once: Textual waits, so that nobody sees it mounted, but it is mounted already."""

    async def _mount_screen(self, mode: str) -> None:
        if self.is_running:  # else the app is closing all screens
            await self._init_mode(mode)  # Textual has no public way to mount a screen that is not shown

    def _resume_drain(self) -> None:
        if self._drain is not None:
            self._drain.resume()

    def _drain_jobs(self) -> None:
        self.jobs.drain()
        if self.jobs.idle and self._drain is not None:
            self._drain.pause()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The filters that every line passes before it is written to the terminal."""
        return [*super().get_line_filters(), *self._own_filters]

    def get_key_display(self, binding: Binding) -> str:
        """Textual's own keys are written as ours."""
        return binding.key_display or key_name(binding.key)

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """No key acts on a screen whose parts are not there yet, or no more: it may come as early, or as late."""
        if self.ending or (isinstance(default_namespace, Screen) and not default_namespace.is_mounted):
            return False
        return await super().run_action(action, default_namespace, namespaces)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent | events.Paste) and not event.is_forwarded:
            await self._keys.put(event)
        else:
            await super().on_event(event)

    @on(KeyHandled)
    async def _key_handled(self, event: KeyHandled) -> None:
        await self._keys.handled(event.key)

    async def on_key(self, event: events.Key) -> None:
        """Send a letter that was typed before the focus had moved to a text field to that field."""
        field = self.focused
        if field is not None and field.check_consume_key(event.key, event.character):
            await field.on_event(event)

    # -- the training -------------------------------------------------------------------------------------------------

    def _show_own_run(self, active: ActiveRun) -> None:
        self._followers.of(active.directory).active = active
        self.switch_mode("train")
        self.train.show_run(active.directory)
        self.play.open_source(ModelSource("live", active.directory.path))
        if self._quitting is not None:
            active.stop()
        self._poll()

    def _poll(self) -> None:
        """Update the header, notify of alarms, report a failed start, and quit once the training has been saved."""
        if self._made_train is not None:
            self._made_train.poll()
        active, followed = self.active_run, self._followed_runs()
        if self._quitting is not None and active is not None and active.done:
            self.exit(return_code=self._quitting)
        elif (error := self._training.failure()) is not None:
            self.train.show_form()
            self.train.form.refuse(str(error) or type(error).__name__)
        status = status_parts(followed[0][1], followed[0][0]) if followed else []
        for screen in self.screen_stack:  # dialogs lie over screens
            if isinstance(screen, StudioScreen):
                screen.show_status(["saving …"] if self._quitting is not None else status)
        for name, progress in followed:
            self.notifier.notify(name, progress)

    def _followed_runs(self) -> list[tuple[str, RunProgress]]:
        """Name and progress of this process's training and of the run on the training screen, if it is another one."""
        view = self._made_train.run_view if self._made_train is not None else None
        shown = view.run if view is not None else None
        runs = [] if view is None or shown is None else [(shown.name, view.progress)]
        if self.active_run is not None and (shown is None or shown.path != self.active_run.directory.path):
            follower = self._followers.of(self.active_run.directory)
            follower.poll()
            runs.insert(0, (follower.run.name, follower.progress))
        return runs

    def notify(
        self, message: str, *, severity: SeverityLevel = "information", timeout: float | None = None, **named: Any
    ) -> None:
        """Show a line over the footer instead of the one before; only errors stay longer than NOTIFICATION_TIMEOUT."""
        self.clear_notifications()
        seconds = timeout or (ERROR_SECONDS if severity == "error" else self.NOTIFICATION_TIMEOUT)
        super().notify(message, severity=severity, timeout=seconds, **named)

    def exit(self, *args: Any, **named: Any) -> None:
        self.ending = True
        self.notifier.restore_title()
        super().exit(*args, **named)

    def _write_to_terminal(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(in_ascii(sequence) if self._config.ascii is True else sequence)

    # -- requests of the screens --------------------------------------------------------------------------------------

    @on(OpenRun)
    def _open_run(self, event: OpenRun) -> None:
        self._played = None
        self.switch_mode("train")
        self.train.show_run(event.run)
        self._poll()

    @on(OverlayRuns)
    def _lay_over(self, event: OverlayRuns) -> None:
        self.train.run_view.lay_over(event.runs)

    @on(TrainOn)
    def _train_on(self, event: TrainOn) -> None:
        self.switch_mode("train")
        self.train.train_on(event.model, event.old_text)

    @on(PlayRun)
    def _play_run(self, event: PlayRun) -> None:
        self.play.open_source(source_of(event.run.path, self._backend))
        self.switch_mode("play")

    # -- actions ------------------------------------------------------------------------------------------------------

    def action_show(self, mode: str) -> None:
        if mode == "play" and self.current_mode == "train":
            self._play_run_in_view()
        self.switch_mode(mode)

    def _play_run_in_view(self) -> None:
        """Play with the run on the training screen, unless that is done already or another model was chosen since."""
        found = self.train.run_to_play()
        if found is None or found == self._played:
            return
        self._played = run, paused_at = found
        playing = self.play.source.run if self.play.source is not None else None
        if paused_at:  # and so saved, by another process
            self.play.open_source(ModelSource("last", run))
        elif playing != run:
            own = self.active_run is not None and self.active_run.directory.path == run and not self.active_run.done
            self.play.open_source(ModelSource("live", run) if own else source_of(run, self._backend))

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, Palette):
            self._choose_command(self.get_system_commands(self.screen))

    def search_themes(self) -> None:
        """As Textual's, in our palette; the highlighted theme is shown, and the chosen one is stored."""
        before = self.theme

        def choose(command: Callable[[], Any] | None) -> None:
            (command or partial(setattr, self, "theme", before))()

        commands = [SystemCommand(name, "", partial(self._choose_theme, name)) for name in theme_names()]
        self.push_screen(Palette(commands, before, partial(setattr, self, "theme")), choose)

    def _choose_theme(self, name: str) -> None:
        self.theme = name
        try:
            self._store_theme(name)
        except (ValueError, OSError) as error:
            problem = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
            message = f"the theme is not stored: {problem}"
            self.call_later(self.notify, message, severity="error", markup=False)  # the palette is still on the screen

    def _choose_command(self, commands: Iterable[SystemCommand]) -> None:
        def run(command: Callable[[], Any] | None) -> None:
            if command is not None:
                command()

        self.push_screen(Palette(commands), run)

    def action_help(self) -> None:
        """Show the help, or close it."""
        if isinstance(self.screen, HelpDialog):
            self.screen.dismiss()
        else:
            self.push_screen(HelpDialog(help_for(self.screen)))

    async def action_quit(self) -> None:
        """Quit; asks if that would end a training."""
        active = self.active_run
        if active is None or active.done:
            self.exit()
            return

        def leave(answer: str | None) -> None:
            if answer == "stop":
                self.quit_saving(0, "stopped", "the app was quit")
            elif answer == "detach":
                self._training.hand_over()

        choices = [
            Choice("s", "save, stop and quit", "stop"),
            Choice("d", "detach: quit, and another process goes on with the training", "detach"),
        ]
        self.push_screen(ChoiceDialog(f"{active.directory.name} is in training.", choices), leave)

    def quit_saving(self, return_code: int, state: Ending, reason: str) -> None:
        """Quit with this exit code once the training, if there is one, is saved."""
        self._quitting = return_code
        if self.active_run is None or self.active_run.done:
            self.exit(return_code=return_code)
        else:
            self.active_run.stop(state, reason)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Each key that acts now, by its name, then Textual's own commands."""
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

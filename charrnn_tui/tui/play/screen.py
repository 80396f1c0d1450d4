"""The playground: a model writes, one character after another, while keys change the prime and the controls."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import Static

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.controls import DEFAULTS, REPLAY, PlayControl, PlaySettings
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.models import LoadedModel, ModelSource
from charrnn_tui.playground.playground import (
    Happened,
    ModelChanged,
    Playground,
    SessionRestored,
    SettingsChanged,
    State,
    TextShown,
    random_seed,
)
from charrnn_tui.playground.session import SessionError
from charrnn_tui.playground.session_keeper import SAVE_SECONDS, SessionKeeper
from charrnn_tui.playground.training_text import training_text
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.tui.dialogs.model_menu import ModelMenu
from charrnn_tui.tui.dialogs.session_list import SessionList
from charrnn_tui.tui.key_footer import KeyFooter
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.messages import TrainOn
from charrnn_tui.tui.play.controls_panel import ControlsPanel, control_keys
from charrnn_tui.tui.play.inspector import Inspector
from charrnn_tui.tui.play.lenses.lenses import LENS_KEYS, UNIT_KEYS, Lenses
from charrnn_tui.tui.play.next_character import NextCharacter
from charrnn_tui.tui.play.pane import PlaygroundPane
from charrnn_tui.tui.play.prime_actions import PrimeActions
from charrnn_tui.tui.play.prime_input import PrimeInput
from charrnn_tui.tui.play.text_actions import choose_branch, copy_command, copy_text, edit_line, save_text
from charrnn_tui.tui.studio_screen import StudioScreen
from charrnn_tui.tui.textview.text_view import TextView
from charrnn_tui.tui.textview.visible import symbol_of, visible


class PlayScreen(StudioScreen):
    """Prime, text, controls, and the distribution of the next character."""

    HELP = "The model writes; a changed control takes effect on the next character. In the text pane ↑ ↓ scroll."

    AUTO_FOCUS = "ControlsPanel"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual declares it so
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (9, "-short"), (16, "-high")]  # noqa: RUF012 - as above
    MODE = "play"
    KEYS: ClassVar[tuple[Key, ...]] = (
        *UNIT_KEYS,
        Key("g", "do('stop')", "Stop", "Stop writing.", "play.stop", footer=True),
        Key("g", "do('go_on')", "Go on", "Go on writing.", "play.go_on", footer=True),
        Key("r", "do('reroll')", "Reroll", "Write another text, with a new seed.", "play.reroll", footer=True),
        Key("R", "do('start_over')", "Replay", "Write the text again, with the same seed.", "play.replay", footer=True),
        Key("a", "replay_changes", "Replay every change", "Switch replay on or off.", "play.replay_changes"),
        Key("p", "edit_prime", "Prime", "Edit the beginning that the model reads.", "play.prime", footer=True),
        Key("i", "inspect", "Inspect", "Show how each character was predicted.", "play.inspect", footer=True),
        *LENS_KEYS,
        Key("m", "choose_model", "Model", "Choose the model that writes.", "play.model", footer=True),
        Key("T", "train_on", "Train on from here", "Train this model further, on a text of yours.", "play.train_on"),
        Key("f2", "prime_file", "Prime from a file", "Read the prime from a file.", "play.prime_file"),
        Key("f3", "prime_line", "Random line as prime", "Take a random line of the training text.", "play.prime_line"),
        Key("f6", "prime_nearest", "Nearest characters", "Replace unknown characters.", "play.prime_nearest"),
        Key("w", "save", "Write to a file", "Write text, JSON with probabilities, or a picture.", "play.write"),
        Key("y", "copy", "Copy", "Copy the selected characters, or the whole text.", "play.copy"),
        Key("Y", "copy_recipe", "Copy as a command", "Copy the command that writes this text again.", "play.recipe"),
        Key("o", "sessions", "Sessions", "List earlier sessions, to bring one back.", "play.sessions"),
        Key("vertical_line", "compare", "Side by side", "Compare two models or settings.", "play.side_by_side"),
        Key("slash", "find_symbol", "Find a character", "Choose the bar of the character typed next.", "play.symbol"),
        Key("e", "edit_text", "Edit the text", "Edit a line of the text; the model goes on behind it.", "play.edit"),
        Key("left_square_bracket", "do('sibling', -1)", "Branch before", "Show the branch before.", "play.before"),
        Key("right_square_bracket", "do('sibling', 1)", "Branch after", "Show the branch after.", "play.after"),
        Key("t", "tree", "Tree of branches", "List all branches, to show one.", "play.tree"),
        Key("b", "do('bookmark')", "Bookmark", "Set or remove the bookmark of this branch.", "play.bookmark"),
        Key("x", "do('delete')", "Delete the branch", "Delete this branch and those forked from it.", "play.delete"),
        Key("u", "do('undo')", "Undo", "Undo the last branch or deletion.", "play.undo"),
        Key("U", "do('redo')", "Redo", "Redo what was undone.", "play.redo"),
        Key("escape", "inspect(False)", "Close inspector", "Hide the bars.", "play.leave_inspector", in_field=False),
        *control_keys("play"),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(
        self,
        backend: Backend,
        active_run: Callable[[], ActiveRun | None],
        jobs: Jobs,
        *,
        clock: Callable[[], float] = time.perf_counter,
        new_seed: Callable[[], int] = random_seed,
        defaults: PlaySettings = DEFAULTS,
    ) -> None:
        """clock: seconds, for the speed of writing. new_seed: for rerolls, forks and random lines.

        defaults: the settings to begin with.
        """
        super().__init__()
        self._backend, self._active_run, self._jobs, self._new_seed = backend, active_run, jobs, new_seed
        self.playground = Playground(
            backend, active_run, jobs, clock=clock, new_seed=new_seed, symbol_of=symbol_of, defaults=defaults
        )
        check = self.playground.check
        self.controls = ControlsPanel(defaults, self._change_control, check=check, defaults=defaults)
        self._next_character = NextCharacter()
        self.pane = PlaygroundPane(self.playground, jobs, self._next_character, self._on_happened)
        self.inspector = Inspector(self.playground, self.pane.text_view, self._fork)
        self.lenses = Lenses(self.pane, backend, jobs, self.controls.put, self._notify)
        self._prime = PrimeActions(self.pane, backend, jobs, new_seed, self._notify)
        self._sessions = SessionKeeper(self.playground, backend.runs_directory)
        self._panel = Vertical(id="play-panel")
        self._title = Static("", id="play-title", markup=False)
        self.source: ModelSource | None = None  # asked for, or of the model that writes; None: the default one
        self.session: Path | None = None  # to restore when the screen is first shown
        self._begun = False

    def compose(self) -> ComposeResult:
        yield self.header
        yield self._title
        with Container(id="play-body"):
            yield self.pane
            with self._panel:
                yield self.controls
                yield self._next_character
                yield self.inspector
        yield KeyFooter()

    # -- the screen comes and goes -------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.set_interval(SAVE_SECONDS, self._sessions.save_if_small)

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        self.restore_session(self.session)
        self._open_first_model()

    def _open_first_model(self) -> None:
        """Open the model that was asked for, or the newest, unless a session brings its own."""
        if self.playground.state is State.NO_MODEL:
            self.playground.open(self.source)
        self._update()

    def open_source(self, source: ModelSource) -> None:
        """Play with this model, now or when the screen is first shown."""
        self.source = source
        if self._begun:
            self.open_model(source)

    def open_model(self, model: LoadedModel | ModelSource | None) -> None:
        """Play with the model that was chosen; None, if none was, changes nothing."""
        if model is not None:
            self.playground.open(model)
            self._update()

    def restore_session(self, path: Path | None) -> None:
        """Restore the session that was chosen; None, if none was, changes nothing."""
        if path is not None:
            try:
                self._sessions.open(path)
            except SessionError as error:
                self._notify(str(error))
            self._update()

    def on_screen_suspend(self) -> None:
        self.pane.pause()
        self._sessions.save_if_small()

    def on_screen_resume(self) -> None:
        if self._begun:
            self.pane.resume()
        elif self.is_current:  # and not only mounted
            self.call_after_refresh(self._begin)  # after the first frame, which the loading of a model would delay

    def on_unmount(self) -> None:
        self._sessions.save()

    # -- what has happened ---------------------------------------------------------------------------------------------

    def _on_happened(self, fact: Happened) -> None:
        match fact:
            case ModelChanged(model):
                self.source = model.source
                self._title.update(visible(model.title), layout=False)
            case SettingsChanged(settings):
                self.controls.settings = settings
            case TextShown(branch, keep_place) if self.inspecting and not keep_place:
                if branch is self.playground.tree.current:
                    self.inspector.place_cursor(branch)
            case SessionRestored(lost):
                if lost:
                    self._notify("not restored: " + "; ".join(lost))
                self._open_first_model()
        self._update_inspector()

    def _change_control(self, control: PlayControl, settings: PlaySettings) -> None:
        # Only this control: the playground may have changed others that were not polled yet.
        self.playground.change(control.with_value(self.playground.settings, control.value(settings)))
        self._update()

    def _fork(self, position: int, token_id: int) -> None:
        self._update(self.playground.fork(position, token_id))

    def _update(self, message: str = "") -> None:
        """Show what a key has changed, and the line that it returned for the user."""
        self.pane.update()
        self._update_inspector()
        self._notify(message)

    def _notify(self, message: str) -> None:
        if message:
            self.notify(visible(message), markup=False)

    @property
    def inspecting(self) -> bool:
        return self._panel.has_class("-inspecting")

    def _update_inspector(self) -> None:
        if self.inspecting:
            self.inspector.update()

    @on(TextView.CursorMoved)
    def cursor_moved(self, event: TextView.CursorMoved) -> None:
        event.stop()
        self.pane.show_figures()
        self._update_inspector()

    @on(PrimeInput.Entered)
    @on(PrimeInput.Left)
    def leave_prime(self) -> None:
        """Focus the pane that had the focus before the field, or another one that is still shown."""
        panes = (self.pane.prime_field.focused_before, self.controls, self.pane.text_view)
        self.set_focus(next((pane for pane in panes if pane is not None and pane.focusable), None))

    # -- keys ----------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "inspect" if parameters and not self.inspecting:
                return False
            case "lens" if not self.lenses.acts(str(parameters[0])):
                return False
            case "do" if parameters in (("go_on",), ("stop",)):
                if self.playground.writer.writing != (parameters == ("stop",)):
                    return False
        return super().check_action(action, parameters)

    def action_do(self, method: str, *arguments: int) -> None:
        """Call a method of the playground; show what it has changed and the line that it returns."""
        self._update(getattr(self.playground, method)(*arguments) or "")

    def action_replay_changes(self) -> None:
        self.controls.toggle(REPLAY)

    def action_control(self, method: str, *arguments: int) -> None:
        if method == "type_value" and self.inspecting and self.focused is self.pane.text_view:
            self.set_focus(self.inspector)  # for which Enter leaves the text
        else:
            getattr(self.controls, method)(*arguments)

    def action_choose_model(self) -> None:
        self.app.push_screen(ModelMenu(self._backend, self._active_run, self._jobs, self.source), self.open_model)

    def action_train_on(self) -> None:
        if (model := self.playground.model) is None:
            self._notify("there is no model yet that could be trained on")
            return
        try:
            files = training_text(model, self._backend).files
        except ValueError:  # it is not here
            files = ()
        source = model.source
        name = source.path.stem if source.kind == "shipped" else str(source.file)
        self.post_message(TrainOn(name, str(files[0]) if len(files) == 1 else ""))

    def action_compare(self) -> None:
        model, prime, settings = self.playground.model, self.pane.prime_field.prime, self.playground.settings
        if model is None:
            self._notify("there is no model yet that could be compared")
        else:
            from charrnn_tui.tui.compare.screen import CompareScreen  # not in the time of the first frame

            args = (self._backend, self._active_run, model, prime, settings, self._new_seed, self._jobs)
            self.app.push_screen(CompareScreen(*args, defaults=self.playground.defaults))

    def action_sessions(self) -> None:
        self._sessions.save()
        self.app.push_screen(SessionList(self._sessions.directory), self.restore_session)

    def action_edit_prime(self) -> None:
        self.pane.prime_field.edit()

    def action_prime_file(self) -> None:
        self._prime.read_file()

    def action_prime_line(self) -> None:
        self._prime.draw_line()

    def action_prime_nearest(self) -> None:
        self._notify(self.pane.prime_field.put_nearest())

    def action_inspect(self, show: bool | None = None) -> None:
        inspecting = not self.inspecting if show is None else show
        self._panel.set_class(inspecting, "-inspecting")  # not the screen: all of its widgets would be styled again
        self.pane.text_view.show_cursor = inspecting
        if inspecting:
            self.set_focus(self.pane.text_view)
        else:
            self.inspector.asking = False
            self.set_focus(self.controls if self.controls.focusable else None)  # none on a very small terminal
        self._update_inspector()
        self.refresh_bindings()

    def action_find_symbol(self) -> None:
        if not self.inspecting:
            self.action_inspect(True)
        self.inspector.ask_symbol()

    def action_lens(self, method: str, *arguments: int) -> None:
        getattr(self.lenses, method)(*arguments)

    def action_tree(self) -> None:
        choose_branch(self.pane, self._update)

    def action_edit_text(self) -> None:
        edit_line(self.pane, self._update)

    def action_save(self) -> None:
        save_text(self.pane, self._jobs, self._notify)

    def action_copy(self) -> None:
        self._notify(copy_text(self.pane, self._backend.runs_directory))

    def action_copy_recipe(self) -> None:
        self._notify(copy_command(self.pane, self._backend.runs_directory))

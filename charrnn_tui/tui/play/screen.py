"""The playground: a model writes, one character after another, while keys change the prime and the controls."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import Static

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.branches import Branch
from charrnn_tui.playground.controls import DEFAULTS, REPLAY, PlayControl, PlaySettings
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.models import LoadedModel, ModelSource
from charrnn_tui.playground.playground import (
    NO_TEXT,
    Happened,
    ModelChanged,
    Playground,
    SessionRestored,
    SettingsChanged,
    TextShown,
)
from charrnn_tui.playground.prime_sources import FoundPrime, RandomLinePicker
from charrnn_tui.playground.session import SessionError
from charrnn_tui.playground.session_keeper import SAVE_SECONDS, SessionKeeper
from charrnn_tui.playground.text_export import COPY_FILE, RECIPES, as_bytes, with_probabilities, write_recipe
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.files import write_atomically
from charrnn_tui.tui.compare.screen import CompareScreen
from charrnn_tui.tui.dialogs.branch_list import BranchList
from charrnn_tui.tui.dialogs.edit_text import EditText
from charrnn_tui.tui.dialogs.model_menu import ModelMenu
from charrnn_tui.tui.dialogs.prime_file import PrimeFile
from charrnn_tui.tui.dialogs.save_text import SaveText, proposed_name
from charrnn_tui.tui.dialogs.session_list import SessionList
from charrnn_tui.tui.key_footer import KeyFooter
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.play.control_keys import control_keys
from charrnn_tui.tui.play.inspector import Inspector, finding_at
from charrnn_tui.tui.play.next_character import NextCharacter
from charrnn_tui.tui.play.pane import PlaygroundPane
from charrnn_tui.tui.play.prime_field import PrimeField
from charrnn_tui.tui.play.sampling_controls import SamplingControls
from charrnn_tui.tui.play.text_picture import text_picture
from charrnn_tui.tui.studio_header import StudioHeader
from charrnn_tui.tui.studio_screen import StudioScreen
from charrnn_tui.tui.textview.colours import MODES
from charrnn_tui.tui.textview.text_view import TextView
from charrnn_tui.tui.textview.visible import symbol_of, visible

OSC_52_MOST: Final = 70_000  # bytes; terminals cut or drop more


class PlayScreen(StudioScreen):
    """Prime, text, controls, and the distribution of the next character."""

    HELP = "The model writes; a changed control takes effect on the next character. In the text pane ↑ ↓ scroll."

    AUTO_FOCUS = "SamplingControls"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual declares it so
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (9, "-short"), (16, "-high")]  # noqa: RUF012 - as above
    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("g", "stop", "stop", "Stop writing.", "play.stop", footer=True),
        Key("g", "go_on", "go on", "Go on writing.", "play.go_on", footer=True),
        Key(
            "r",
            "reroll",
            "reroll",
            "Write another text from the same prime, with a new seed.",
            "play.reroll",
            footer=True,
        ),
        Key("R", "replay", "replay", "Write the text again with the same seed.", "play.replay", footer=True),
        Key(
            "a",
            "replay_changes",
            "Replay every change",
            "Write the whole text again, with the same seed, at every change of a control; again to switch it off.",
            "play.replay_changes",
        ),
        Key(
            "p", "edit_prime", "prime", "Edit the prime, the beginning that the model reads.", "play.prime", footer=True
        ),
        Key(
            "i",
            "inspect",
            "inspect",
            "Show the whole distribution of the character under a cursor.",
            "play.inspect",
            footer=True,
        ),
        Key(
            "c",
            "colours",
            "colours",
            "Colour the text by probability, rank, surprise or entropy, or not.",
            "play.colours",
            footer=True,
        ),
        Key("m", "choose_model", "model", "Choose the model that writes.", "play.model", footer=True),
        Key("f2", "prime_file", "Prime from a file", "Take the prime from a file.", "play.prime_file"),
        Key(
            "f3",
            "prime_line",
            "Prime from the text",
            "Take a random line of the training text as the prime.",
            "play.prime_line",
        ),
        Key(
            "f6",
            "prime_nearest",
            "Nearest characters",
            "Replace unknown characters of the prime by the nearest known ones.",
            "play.prime_nearest",
        ),
        Key(
            "w",
            "save",
            "Write to a file",
            "Write the text to a file: as text, as JSON with probabilities, or as a picture.",
            "play.write",
        ),
        Key("y", "copy", "Copy", "Copy the selected characters, or the whole text.", "play.copy"),
        Key("Y", "copy_recipe", "Copy as a command", "Copy the command that writes this text again.", "play.recipe"),
        Key("o", "sessions", "Sessions", "List the sessions of before, to bring one back.", "play.sessions"),
        Key(
            "vertical_line",
            "compare",
            "Side by side",
            "Compare two models or two settings side by side.",
            "play.side_by_side",
        ),
        Key(
            "slash",
            "find_symbol",
            "Find a character",
            "Then a character: choose its bar in the inspector.",
            "play.symbol",
        ),
        Key(
            "e",
            "edit_text",
            "Edit the text",
            "Edit the line under the cursor, or the last one; the model goes on behind it.",
            "play.edit",
        ),
        Key("left_square_bracket", "sibling(-1)", "Branch before", "Show the branch before this one.", "play.before"),
        Key("right_square_bracket", "sibling(1)", "Branch after", "Show the branch after this one.", "play.after"),
        Key("t", "tree", "Tree of branches", "List all branches, to show one.", "play.tree"),
        Key("b", "bookmark", "Bookmark", "Set or remove the bookmark of this branch.", "play.bookmark"),
        Key("x", "delete", "Delete the branch", "Delete this branch and all that grew out of it.", "play.delete"),
        Key("u", "undo", "Undo", "Undo the last branch or deletion.", "play.undo"),
        Key("U", "redo", "Redo", "Redo what was undone.", "play.redo"),
        Key(
            "escape",
            "leave_inspector",
            "Close the inspector",
            "Close the inspector.",
            "play.leave_inspector",
            in_field=False,
        ),
        *control_keys("play"),
    )
    BINDINGS = bindings_of(KEYS)
    DEFAULT_CSS = """
    PlayScreen {
        & #play-title { height: 1; padding: 0 1; text-style: bold; text-wrap: nowrap; text-overflow: ellipsis; }
        & #play-body { height: 1fr; layout: vertical; }
        & PlaygroundPane { height: 1fr; }
        & #play-panel { height: auto; padding: 0 1; background: $boost; }
        & .sampling-controls--heading { display: none; }
        & NextCharacter { height: 1; }
        & Inspector { display: none; height: 9; }
        &.-inspecting NextCharacter { display: none; }
        &.-inspecting Inspector { display: block; }

        &.-wide #play-body { layout: horizontal; }
        &.-wide PlaygroundPane { width: 1fr; height: 100%; }
        &.-wide #play-panel { width: 30; height: 100%; background: transparent; border-left: solid $panel; }
        &.-wide .sampling-controls--heading { display: block; }
        &.-wide NextCharacter { height: 1fr; max-height: 15; margin: 1 0 0 0; }

        &.-wide Inspector { height: 1fr; margin: 1 0 0 0; }
        &.-wide.-inspecting #play-panel { width: 46; }

        &.-short Inspector { height: 1; margin: 0; }
        &.-short NextCharacter, &.-short #play-title, &.-short SurpriseLegend { display: none; }
        &.-tiny #play-panel, &.-tiny #play-title, &.-tiny SurpriseLegend, &.-tiny PlayStatus { display: none; }
    }
    """

    def __init__(
        self,
        backend: Backend,
        active_run: Callable[[], ActiveRun | None],
        jobs: Jobs,
        *,
        clock: Callable[[], float] = time.perf_counter,
        new_seed: Callable[[], int] = lambda: random.SystemRandom().randrange(1_000_000),
    ) -> None:
        """clock: seconds, for the writing. new_seed: for a reroll and for branches."""
        super().__init__()
        self._backend, self._active_run, self._jobs, self._new_seed = backend, active_run, jobs, new_seed
        self.playground = Playground(backend, active_run, jobs, clock=clock, new_seed=new_seed, symbol_of=symbol_of)
        self._title = Static("", id="play-title", markup=False)
        self._next_character = NextCharacter()
        self.controls = SamplingControls(DEFAULTS, self._change_control)
        self.inspector = Inspector()
        self.pane = PlaygroundPane(self.playground, jobs, self._next_character, self._on_happened)
        self._sessions = SessionKeeper(self.playground, backend.runs_directory)
        self._lines = RandomLinePicker()
        self._file_asked = ("", "utf-8")  # the prime's, as it was typed last
        self._source: ModelSource | None = None  # the model that was asked for or writes; None: the newest
        self._session: Path | None = None  # to restore when the screen is first shown
        self._begun = False
        self._before_prime: Widget | None = None
        self._colour_mode = -1  # none

    def compose(self) -> ComposeResult:
        yield StudioHeader()
        yield self._title
        with Container(id="play-body"):
            yield self.pane
            with Vertical(id="play-panel"):
                yield self.controls
                yield self._next_character
                yield self.inspector
        yield KeyFooter(show_command_palette=False)

    # -- the screen comes and goes -------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.set_interval(SAVE_SECONDS, self._save_session)
        self.call_after_refresh(self._begin)  # the panes first: the thread that loads a model would delay them

    def _begin(self) -> None:
        self._begun = True
        if self._session is None or not self.restore_session(self._session):
            self.playground.open(self._source)
        self.pane.update()

    def begin_with(self, session: Path) -> None:
        """Restore this session when the screen is first shown."""
        self._session = session

    def open_source(self, source: ModelSource) -> None:
        """Play with this model, now or when the screen is first shown."""
        self._source = source
        if self._begun:
            self.playground.open(source)
            self.pane.update()

    def on_screen_suspend(self) -> None:
        self.pane.pause()
        self._save_session()

    def on_screen_resume(self) -> None:
        if self._begun:
            self.pane.resume()

    def on_unmount(self) -> None:
        self._save_session(at_end=True)

    # -- what happened -------------------------------------------------------------------------------------------------

    def _on_happened(self, fact: Happened) -> None:
        match fact:
            case ModelChanged(model):
                self._source = model.source
                self._title.update(visible(model.title), layout=False)
            case SettingsChanged(settings):
                self.controls.settings = settings
            case TextShown():
                self._place_cursor(fact)
            case SessionRestored(lost):
                if lost:
                    self._tell("not restored: " + "; ".join(lost))
                if self.playground.model is None:  # then the model writes that would without a session
                    self.playground.open(self._source)
        self._show_finding()

    def _change_control(self, control: PlayControl, settings: PlaySettings) -> None:
        self.playground.change(control.with_value(self.playground.settings, control.value(settings)))
        self._update()

    def _update(self, message: str = "") -> None:
        """After a key: show what it has changed, and say what there is to say."""
        self.pane.update()
        self._show_finding()
        self._tell(message)

    def _tell(self, message: str) -> None:
        if message:
            self.app.clear_notifications()  # only the last one matters; a pile of them would hide the text
            self.notify(visible(message), markup=False, timeout=3)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "leave_inspector" if not self.inspecting:
                return False
            case "go_on" | "stop" if self.playground.writer.writing != (action == "stop"):
                return False
        return super().check_action(action, parameters)

    # -- writing -------------------------------------------------------------------------------------------------------

    def action_go_on(self) -> None:
        self.playground.go_on()
        self._update()

    def action_stop(self) -> None:
        self.playground.stop()
        self._update()

    def action_reroll(self) -> None:
        self.playground.reroll()
        self._update()

    def action_replay(self) -> None:
        self.playground.start_over()
        self._update()

    def action_replay_changes(self) -> None:
        self.controls.switch(REPLAY)

    def action_choose(self, by: int) -> None:
        self.controls.choose(by)

    def action_change(self, by: int) -> None:
        self.controls.change(by)

    def action_reset_control(self) -> None:
        self.controls.reset()

    def action_type_value(self) -> None:
        if self.inspecting and self.focused is self.pane.text_view:
            self.set_focus(self.inspector)
        else:
            self.controls.type_value()

    def action_choose_model(self) -> None:
        self.app.push_screen(ModelMenu(self._backend, self._active_run, self._source), self._open_chosen)

    def _open_chosen(self, chosen: LoadedModel | ModelSource | None) -> None:
        if chosen is not None:
            self.playground.open(chosen)
            self._update()

    def action_compare(self) -> None:
        playground = self.playground
        if playground.model is None:
            self._tell("there is no model yet that could be compared")
        else:
            prime, settings = self.pane.prime_field.prime, playground.settings
            args = (self._backend, self._active_run, playground.model, prime, settings, self._new_seed, self._jobs)
            self.app.push_screen(CompareScreen(*args))

    # -- the prime -----------------------------------------------------------------------------------------------------

    def action_edit_prime(self) -> None:
        self._before_prime = self.focused
        self.pane.prime_field.edit()

    @on(PrimeField.Left)
    def leave_prime(self) -> None:
        """Back to the pane from which the prime was entered, or to one that a small terminal still shows."""
        places = (self._before_prime, self.controls, self.pane.text_view)
        self.set_focus(next((place for place in places if place is not None and place.focusable), None))

    def action_prime_file(self) -> None:
        dialog = PrimeFile(*self._file_asked)

        def put(found: FoundPrime | None) -> None:
            if found is not None:
                self._file_asked = dialog.asked
                self._put_prime(found)

        self.app.push_screen(dialog, put)

    def action_prime_line(self) -> None:
        model, seed = self.playground.model, self._new_seed()
        if model is None:
            self._tell("no model yet, and so no training text")
        elif not self._jobs.pending("prime line"):
            self._jobs.submit(
                "prime line",
                lambda token: self._lines.draw(model, self._backend, seed),
                self._put_prime,
                lambda error: self._tell(str(error)),
            )

    def _put_prime(self, found: FoundPrime) -> None:
        self.pane.prime_field.put(found.prime)
        self._tell(f"prime: {found.words}")

    def action_prime_nearest(self) -> None:
        if not self.pane.prime_field.put_nearest():
            self._tell("every character of the prime is known, or none of the known ones is near")

    # -- the inspector -------------------------------------------------------------------------------------------------

    @property
    def inspecting(self) -> bool:
        return self.has_class("-inspecting")

    def _place_cursor(self, shown: TextShown) -> None:
        """Where a branch begins to differ from its parent, or at the end of the text."""
        view, branch = self.pane.text_view, shown.branch
        if self.inspecting and not shown.keep_place and branch is self.playground.tree.current and view.length:
            position = len(branch.page.prime) + branch.position
            view.cursor = position if branch.parent is not None else view.length - 1

    def _show_finding(self) -> None:
        if self.inspecting:
            self.inspector.finding = finding_at(self.playground, self.pane.text_view.cursor)

    @on(TextView.CursorMoved)
    def cursor_moved(self, event: TextView.CursorMoved) -> None:
        event.stop()
        self._show_finding()

    @on(Inspector.StepAsked)
    def move_cursor(self, event: Inspector.StepAsked) -> None:
        view = self.pane.text_view
        view.cursor = (view.cursor or 0) + event.by

    @on(Inspector.Left)
    def back_to_text(self) -> None:
        self.set_focus(self.pane.text_view)

    @on(Inspector.ForkAsked)
    def fork(self, event: Inspector.ForkAsked) -> None:
        self._update(self.playground.fork(event.position, event.token_id))

    def action_inspect(self) -> None:
        inspecting = not self.inspecting
        self.set_class(inspecting, "-inspecting")
        self.pane.text_view.show_cursor = inspecting
        if inspecting:
            self.set_focus(self.pane.text_view)
        else:
            self.inspector.asking = False
            self.set_focus(self.controls if self.controls.focusable else None)  # none on a very small terminal
        self._show_finding()
        self.refresh_bindings()

    def action_leave_inspector(self) -> None:
        self.action_inspect()

    def action_find_symbol(self) -> None:
        if not self.inspecting:
            self.action_inspect()
        self.inspector.ask_symbol()

    def action_colours(self) -> None:
        """The next colour mode; after the last one none."""
        self._colour_mode = self._colour_mode + 1 if self._colour_mode + 1 < len(MODES) else -1
        self.pane.colour(MODES[self._colour_mode] if self._colour_mode >= 0 else None)

    # -- branches ------------------------------------------------------------------------------------------------------

    def action_edit_text(self) -> None:
        """The line under the cursor; without a cursor, the line that is being written."""
        branch, view = self.playground.tree.current, self.pane.text_view
        if branch is None:
            self._tell(NO_TEXT)
            return
        text = branch.page.text
        cursor = len(text) if view.cursor is None or not self.inspecting else view.cursor - len(branch.page.prime)
        if cursor < 0:
            self.pane.prime_field.edit()
            return
        start, end = text.rfind("\n", 0, cursor) + 1, text.find("\n", cursor)
        line = text[start : len(text) if end < 0 else end]

        def edited(answer: str | None) -> None:
            if answer is not None and answer != line:
                self.playground.turn_to(branch)  # a replay may have shown another one meanwhile
                self._update(self.playground.edit(start, answer))

        self.app.push_screen(EditText(line, cursor - start, branch.page.vocabulary), edited)

    def action_sibling(self, by: int) -> None:
        self._update(self.playground.sibling(by))

    def action_tree(self) -> None:
        def chosen(branch: Branch | None) -> None:
            if branch is not None:
                self.playground.turn_to(branch)
            self._update()

        self.app.push_screen(BranchList(self.playground.tree), chosen)

    def action_bookmark(self) -> None:
        self._update(self.playground.bookmark())

    def action_delete(self) -> None:
        self._update(self.playground.delete())

    def action_undo(self) -> None:
        self._update(self.playground.undo())

    def action_redo(self) -> None:
        self._update(self.playground.redo())

    # -- files ---------------------------------------------------------------------------------------------------------

    def action_save(self) -> None:
        branch = self.playground.tree.current
        if branch is None:
            self._tell(NO_TEXT)
            return
        whole = branch.page.prime + branch.page.text

        def picture() -> str:
            title = f"{branch.model.title} · {self.playground.settings.words}"
            return text_picture(self.pane.text_view, title, self.pane.legend)

        forms = {
            ".txt": lambda: as_bytes(whole),
            ".json": lambda: with_probabilities(branch),
            ".svg": lambda: self.app.call_from_thread(picture).encode(),
        }
        name = proposed_name(Path.cwd(), branch.model.source.path.stem)
        self.app.push_screen(SaveText(forms, len(whole), name), self._saved)

    def _saved(self, path: Path | None) -> None:
        if path is not None:
            self._tell(f"written to {path}")

    def action_copy(self) -> None:
        text = self.playground.text
        start, end = self.pane.text_view.selected or (0, len(text))
        self._copy(text[start:end], self._backend.runs_directory / COPY_FILE)

    def _copy(self, text: str, path: Path) -> None:
        """To a file and, since a terminal does not say whether it allows that, to the clipboard as well."""
        data = as_bytes(text)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data)
            message = f"{len(text):,} characters are in {path}"
        except OSError as error:
            message = f"{path}: cannot be written: {error.strerror or error}"
        if len(data) <= OSC_52_MOST:
            self.app.copy_to_clipboard(data.decode("utf-8", "replace"))
            message += ", and in the clipboard if the terminal allows it"
        self.notify(visible(message), markup=False)

    def action_copy_recipe(self) -> None:
        branch, runs = self.playground.tree.current, self._backend.runs_directory
        if branch is None:
            self._tell(NO_TEXT)
            return
        try:
            command = write_recipe(branch, runs)
        except OSError as error:
            self._tell(f"{runs / RECIPES}: cannot be written: {error.strerror or error}")
        except ValueError as error:
            self._tell(f"no recipe: {error}")
        else:
            self._copy(command, runs / RECIPES / "command.txt")

    # -- sessions ------------------------------------------------------------------------------------------------------

    def action_sessions(self) -> None:
        self._save_session(at_end=True)
        self.app.push_screen(SessionList(self._sessions.directory), self._session_chosen)

    def _session_chosen(self, path: Path | None) -> None:
        if path is not None:
            self.restore_session(path)
            self._update()

    def restore_session(self, path: Path) -> bool:
        """Bring a session back; whether there is one in this file."""
        try:
            self._sessions.open(path)
        except SessionError as error:
            self._tell(str(error))
            return False
        return True

    def _save_session(self, *, at_end: bool = False) -> None:
        try:
            self._sessions.save() if at_end else self._sessions.save_if_small()
        except OSError as error:
            self.log.error(error)

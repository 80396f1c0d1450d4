"""The playground: a model writes, one character after another, while keys change the prime and the controls."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import Static

from charrnn_tui.playground.controls import CONTROLS, DEFAULTS, REPLAY
from charrnn_tui.tui.key_footer import KeyFooter
from charrnn_tui.tui.play.choosing_models import CHOOSING
from charrnn_tui.tui.play.control_keys import control_keys
from charrnn_tui.tui.play.keeping import KEEPING
from charrnn_tui.tui.play.looking_back import ACTIONS
from charrnn_tui.tui.play.next_character import NextCharacter
from charrnn_tui.tui.play.prime_field import PrimeField
from charrnn_tui.tui.play.prime_tools import PrimeTools
from charrnn_tui.tui.play.restoring_desk import RestoringDesk
from charrnn_tui.tui.play.sampling_controls import SamplingControls
from charrnn_tui.tui.play.sessions import REMEMBERING
from charrnn_tui.tui.play.sheet import Sheet
from charrnn_tui.tui.play.writing_desk import WritingDesk
from charrnn_tui.tui.studio_header import StudioHeader
from charrnn_tui.tui.textview.visible import visible

if TYPE_CHECKING:
    from charrnn_tui.playground.backend import Backend
    from charrnn_tui.playground.session import Session
    from charrnn_tui.run.active_run import ActiveRun

_NOT_WHILE_TYPING: Final = (
    ACTIONS | KEEPING | REMEMBERING | CHOOSING | {"go_on", "stop", "reroll", "replay", "replay_changes", "edit_prime"}
)


class PlayScreen(PrimeTools):
    """Prime, text, controls, distribution."""

    HELP = """The model writes; what you change takes effect on the next character.

g  stop, go on          r  reroll: another seed       R  replay the same seed
a  replay every change: the page is written anew from the prime, with the same seed, at once
p  edit the prime       m  choose a model             c  colours: five modes
F2  prime from a file   F3  random line of the text   F6  nearest known characters in the prime
w  write to a file: text, JSON with probabilities, or a picture       y  copy the selection, or all
Y  copy the command that writes this text again       o  sessions of before       Tab  from pane to pane
|  side by side: two models or two settings, and a slider through a training
i  inspect: a cursor in the text, and the whole distribution of the character under it; / finds a symbol's bar
e  edit the line under the cursor, or the last one: the model goes on behind what you write, on a branch of its own
[ ]  branch beside      t  tree of branches           b  bookmark    x  delete    u U  undo, redo

↑ ↓ choose a control, ← → change it, Enter types a value, Backspace sets its default.
In the text pane ↑ ↓ scroll; End follows the text again."""

    AUTO_FOCUS = "SamplingControls"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual declares it so
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (9, "-short"), (16, "-high")]  # noqa: RUF012 - as above
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "stop", "stop", id="play.stop"),
        Binding("g", "go_on", "go on", id="play.go_on"),
        Binding("r", "reroll", "reroll", id="play.reroll"),
        Binding("R", "replay", "replay", id="play.replay"),
        Binding("a", "replay_changes", "Replay every change", show=False, id="play.replay_changes"),
        Binding("p", "edit_prime", "prime", id="play.prime"),
        Binding("i", "inspect", "inspect", id="play.inspect"),
        Binding("c", "colours", "colours", id="play.colours"),
        Binding("m", "choose_model", "model", id="play.model"),
        *control_keys("play"),
    ]
    DEFAULT_CSS = """
    PlayScreen {
        & #play-title { height: 1; padding: 0 1; text-style: bold; text-wrap: nowrap; text-overflow: ellipsis; }
        & #play-body { height: 1fr; layout: vertical; }
        & WritingDesk { height: 1fr; }
        & #play-panel { height: auto; padding: 0 1; background: $boost; }
        & .sampling-controls--heading { display: none; }
        & NextCharacter { height: 1; }
        & Inspector { display: none; height: 9; }
        &.-inspecting NextCharacter { display: none; }
        &.-inspecting Inspector { display: block; }

        &.-wide #play-body { layout: horizontal; }
        &.-wide WritingDesk { width: 1fr; height: 100%; }
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
        *,
        clock: Callable[[], float] = time.perf_counter,
        new_seed: Callable[[], int] = lambda: random.SystemRandom().randrange(1_000_000),
    ) -> None:
        """clock: seconds, for the writing. new_seed: for a reroll."""
        super().__init__(RestoringDesk(backend, active_run, clock), backend, active_run, new_seed)
        self.controls = SamplingControls(DEFAULTS)
        self._title = Static("", id="play-title", markup=False)
        self._next = NextCharacter()
        self._before_prime: Widget | None = None

    def compose(self) -> ComposeResult:
        self._take_breakpoints()
        yield StudioHeader()
        yield self._title
        with Container(id="play-body"):
            yield self.desk
            with Vertical(id="play-panel"):
                yield self.controls
                yield self._next
                yield self.inspector
        yield KeyFooter(show_command_palette=False)

    def _take_breakpoints(self) -> None:
        """Textual sets these classes after the first layout: the first frame would be styled and drawn twice."""
        for breakpoints, extent in zip(
            (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS), self.app.size, strict=True
        ):
            self.add_class(max(step for step in breakpoints if step[0] <= extent)[1], update=False)

    def take_settings(self, session: Session) -> None:
        self.controls.settings = session.settings
        self.desk.adopt(session.settings)
        self.desk.prime_field.prime, self.desk.prime_is_typed = session.prime, True

    @on(WritingDesk.ModelChanged)
    def show_model(self, event: WritingDesk.ModelChanged) -> None:
        self._title.update(visible(event.model.title), layout=False)

    @on(Sheet.Foreseen)
    def show_outlook(self, event: Sheet.Foreseen) -> None:
        self._next.outlook = event.outlook

    @on(Sheet.StateChanged)
    def show_keys(self) -> None:
        self.refresh_bindings()

    @on(SamplingControls.Changed)
    def settings_changed(self, event: SamplingControls.Changed) -> None:
        knob = event.knob
        self.desk.settings = knob.with_value(self.desk.settings, knob.value(event.settings))
        if knob is REPLAY:
            self.desk.foresee(self.controls.knob)
        self.look()

    @on(WritingDesk.Turned)
    def page_shown(self, event: WritingDesk.Turned) -> None:
        """Its seed is the controls' seed again; and where they say how the whole page is written, all of them are.

        What the controls have been changed to since is on its way to the desk, and stays.
        """
        if event.stays or event.branch is not self.desk.branches.current:
            return
        page, wanted, before = event.branch.page, self.controls.settings, self.desk.settings
        settings = replace(before, seed=page.seeds[0].value)
        if settings.replay and page.settings:
            settings = replace(settings, **asdict(page.settings[-1].value))
        self.desk.adopt(settings)
        for knob in CONTROLS:
            if knob.value(wanted) != knob.value(before):
                settings = knob.with_value(settings, knob.value(wanted))
        self.controls.settings = settings

    @on(PrimeField.Left)
    def leave_prime(self) -> None:
        """Back to where the user was, or to what a small terminal still shows."""
        places = (self._before_prime, self.controls, self.desk.text_view)
        self.set_focus(next((place for place in places if place is not None and place.focusable), None))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """One of go on and stop; and no letters in the footer that a text field would take."""
        if action in _NOT_WHILE_TYPING and self.typing:
            return False
        if action == "leave_inspector":
            return self.inspecting
        if action in ("go_on", "stop"):
            return self.desk.writer.writing == (action == "stop")
        return True

    def action_go_on(self) -> None:
        self.desk.go_on()

    def action_stop(self) -> None:
        self.desk.stop()
        self.desk.foresee(self.controls.knob)

    def action_reroll(self) -> None:
        self.controls.settings = self.desk.settings = replace(self.controls.settings, seed=self._new_seed())

    def action_replay(self) -> None:
        self.desk.start_over()

    def action_replay_changes(self) -> None:
        self.controls.switch(REPLAY)

    def action_edit_prime(self) -> None:
        self._before_prime = self.focused
        self.desk.prime_field.edit()

    def action_choose(self, by: int) -> None:
        super().action_choose(by)
        self.desk.foresee(self.controls.knob)

    def action_type_value(self) -> None:
        """In the text, where there is nothing to type, to the bars."""
        if self.inspecting and self.focused is self.desk.text_view:
            self.set_focus(self.inspector)
        else:
            super().action_type_value()

"""Two texts beside each other, from the same prime and seed: two settings, two models, two moments of a training."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.controls import PlaySettings
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.models import LoadedModel, ModelSource
from charrnn_tui.playground.rendering import ModelShelf
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.tui.compare.comparison import SIDE_CONTROLS, Comparison
from charrnn_tui.tui.dialogs.model_menu import ModelMenu
from charrnn_tui.tui.key_footer import KeyFooter
from charrnn_tui.tui.keys import bindings_of
from charrnn_tui.tui.play.controls_panel import ControlsPanel, control_keys
from charrnn_tui.tui.play.prime_field import PrimeField
from charrnn_tui.tui.studio_header import StudioHeader

_NOT_WHILE_TYPING: Final = {"link", "choose_model", "swap", "reroll", "edit_prime", "show_difference", "leave"}

_HELP: Final = """Two texts, A and B, from the same prime and with the same seed.
Where they part is marked in both; seed, length and prime stay the same.

↑ ↓  choose a control   ← →  change it: both texts are written anew
Tab  the other side     =    link the controls: a change acts on both
m    its model          x    swap the sides     d  to where they part
r    another seed       p    the prime          Esc or |  back
, .  the checkpoint before, after, that the model's run has kept
< >  the first, the last one       PgUp PgDn Home End  scroll both

The slider has a tick for each checkpoint that was kept; ◆ is a model
between two of them, such as the best one. Click, or turn the wheel."""


class _Controls(ControlsPanel):
    """They have the focus here; the playground's words on them would tell of other keys."""

    HELP = _HELP


class CompareScreen(Screen[None]):
    """Every change writes the texts anew, at once."""

    HELP = _HELP

    AUTO_FOCUS = "ControlsPanel"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual declares it so
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (9, "-short"), (16, "-high")]  # noqa: RUF012 - as above
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,shift+tab", "other_side", "side", key_display="Tab", id="side.other"),
        Binding("equals_sign", "link", "link", key_display="=", id="side.link"),
        Binding("m", "choose_model", "model", id="side.model"),
        Binding("comma", "slide(-1)", "slide", key_display=", .", id="side.earlier"),
        Binding("full_stop", "slide(1)", "Later checkpoint", show=False, key_display=".", id="side.later"),
        Binding("less_than_sign", "slide_to_end(0)", "First checkpoint", show=False, key_display="<", id="side.first"),
        Binding("greater_than_sign", "slide_to_end(1)", "Last checkpoint", show=False, key_display=">", id="side.last"),
        Binding("x", "swap", "Swap the sides", show=False, id="side.swap"),
        Binding("r", "reroll", "Another seed", show=False, id="side.reroll"),
        Binding("p", "edit_prime", "prime", id="side.prime"),
        Binding("d", "show_difference", "Where they part", show=False, id="side.difference"),
        Binding("escape,vertical_line", "leave", "back", key_display="Esc", id="side.leave"),
        *bindings_of(control_keys("side")),
        *(
            Binding(key, f"scroll('{key}')", words, show=False, id=f"side.{key}")
            for key, words in (
                ("pageup", "Page up"),
                ("pagedown", "Page down"),
                ("home", "Start"),
                ("end", "End"),
            )
        ),
    ]
    DEFAULT_CSS = """
    CompareScreen {
        &.-wide #sides { layout: horizontal; }
        &.-wide SidePane { width: 1fr; height: 100%; }
        &.-wide #side-b { border-left: solid $panel; }
        & ControlsPanel { padding: 0 1; background: $boost; }
        & .controls-panel--heading { display: none; }
        &.-tiny StudioHeader, &.-tiny Footer, &.-tiny #side-status { display: none; }
        &.-tiny ControlsPanel, &.-short ControlsPanel { display: none; }
        &.-tiny TrainingSlider { display: none; }
    }
    """

    def __init__(
        self,
        backend: Backend,
        active_run: Callable[[], ActiveRun | None],
        model: LoadedModel,
        prime: str,
        settings: PlaySettings,
        new_seed: Callable[[], int],
        jobs: Jobs,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Begins with this model and these settings on both sides. new_seed: for a reroll; clock: seconds."""
        super().__init__()
        self._backend, self._active_run, self._new_seed = backend, active_run, new_seed
        self.comparison = Comparison(ModelShelf(backend, active_run), model, prime, settings, clock)
        self.controls = _Controls(self.comparison.side.settings, self.comparison.take, controls=SIDE_CONTROLS)
        self.prime_field = PrimeField(jobs)
        self.prime_field.display = False
        self._prime_at_first = prime

    def compose(self) -> ComposeResult:
        yield StudioHeader()
        yield self.prime_field
        yield self.comparison
        yield self.controls
        yield KeyFooter(show_command_palette=False)

    def on_mount(self) -> None:
        self.prime_field.prime = self._prime_at_first

    def on_screen_suspend(self) -> None:
        self.comparison.pause()

    def on_screen_resume(self) -> None:
        self.comparison.resume()

    @on(Comparison.Chosen)
    def show_settings(self) -> None:
        self.controls.settings = self.comparison.side.settings
        self.refresh_bindings()

    @on(PrimeField.Changed)
    def prime_changed(self, event: PrimeField.Changed) -> None:
        self.comparison.begin_with(event.prime)

    @on(PrimeField.Left)
    def leave_prime(self) -> None:
        self.prime_field.display = False
        self.set_focus(self.controls if self.controls.focusable else None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No letters in the footer that a text field would take; no slider where nothing was kept."""
        if action in ("prime_file", "prime_line"):  # the field's own keys ask the playground for these
            return False
        typing = self.focused is not None and self.focused is not self.controls
        if action in ("slide", "slide_to_end"):
            return not typing and self.comparison.side.sliding
        return not (typing and action in _NOT_WHILE_TYPING)

    def action_choose(self, by: int) -> None:
        self.controls.choose(by)

    def action_change(self, by: int) -> None:
        self.controls.change(by)

    def action_type_value(self) -> None:
        self.controls.type_value()

    def action_reset_control(self) -> None:
        self.controls.reset()

    def action_other_side(self) -> None:
        self.comparison.choose_other()

    def action_link(self) -> None:
        self.comparison.link()

    def action_swap(self) -> None:
        self.comparison.swap()

    def action_reroll(self) -> None:
        self.comparison.reseed(self._new_seed())

    def action_edit_prime(self) -> None:
        self.prime_field.model = self.comparison.side.model
        self.prime_field.display = True  # what is not shown cannot take the focus
        self.prime_field.edit()

    def action_prime_nearest(self) -> None:
        self.prime_field.put_nearest()

    def action_slide(self, by: int) -> None:
        self.comparison.slide(self.comparison.side.slider.neighbour(by))

    def action_slide_to_end(self, end: int) -> None:
        self.comparison.slide(self.comparison.side.slider.ends[end])

    def action_choose_model(self) -> None:
        """Weights of a run in training stay as they were when they were chosen; chosen again they are newer."""
        chosen = replace(self.comparison.side.source, moment=0)
        self.app.push_screen(ModelMenu(self._backend, self._active_run, chosen), self._model_chosen)

    def _model_chosen(self, chosen: LoadedModel | ModelSource | None) -> None:
        if chosen is not None:
            self.comparison.use(chosen)

    def action_show_difference(self) -> None:
        self.comparison.show_difference()

    def action_scroll(self, where: str) -> None:
        self.comparison.scroll_page(where)

    def action_leave(self) -> None:
        if self.is_active:  # not by the second of two keys that came at once
            self.dismiss(None)

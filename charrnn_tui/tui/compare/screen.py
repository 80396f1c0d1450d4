"""Two texts beside each other, from the same prime and seed: two settings, two models, two moments of a training."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.timer import Timer
from textual.widgets import Static

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.comparison import SIDE_CONTROLS, Comparison, ModelCache
from charrnn_tui.playground.controls import DEFAULTS, PlayControl, PlaySettings
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.models import LoadedModel, ModelSource
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.quantities import bits
from charrnn_tui.tui.compare.side_pane import SidePane
from charrnn_tui.tui.compare.training_slider import TrainingSlider
from charrnn_tui.tui.dialogs.model_menu import ModelMenu
from charrnn_tui.tui.key_footer import KeyFooter
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.play.controls_panel import ControlsPanel, control_keys
from charrnn_tui.tui.play.prime_field import PrimeField
from charrnn_tui.tui.play.prime_input import PrimeInput
from charrnn_tui.tui.static_line import show_line
from charrnn_tui.tui.studio_screen import StudioScreen
from charrnn_tui.tui.textview.visible import symbol_of
from charrnn_tui.tui.train.run_lines import as_fits

DRAW_SECONDS: Final = 1 / 30


class _Controls(ControlsPanel):
    HELP, TERMS, KEYS = "", (), ()  # the screen has the help for them; theirs is about the playground


class CompareScreen(StudioScreen):
    """Every change writes both texts again at once."""

    HELP = """Two texts, A and B, from the same prime and with the same seed.

The first difference is marked in both. Seed, length and prime are always the same on both sides. The slider has a tick
for each checkpoint that the model's run has kept; ◆ is a model between two of them, such as the best one. Click on it,
or turn the wheel."""

    AUTO_FOCUS = "ControlsPanel"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual declares it so
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (9, "-short"), (16, "-high")]  # noqa: RUF012 - as above
    MODE = "play"
    KEYS: ClassVar[tuple[Key, ...]] = (
        Key(
            "tab,shift+tab",
            "do('choose_other')",
            "Side",
            "Choose the other side.",
            "side.other",
            footer=True,
            display="Tab",
        ),
        Key("equals_sign", "do('link')", "Link", "Link the sides: a change acts on both.", "side.link", footer=True),
        Key("m", "choose_model", "Model", "Choose the model of the side.", "side.model", footer=True),
        Key(
            "comma",
            "do('step_by', -1)",
            "Slide",
            "The checkpoint before or after.",
            "side.earlier",
            footer=True,
            display=", .",
        ),
        Key("full_stop", "do('step_by', 1)", "Later checkpoint", "The checkpoint after.", "side.later"),
        Key("less_than_sign", "do('step_to_end', 0)", "First checkpoint", "The first checkpoint.", "side.first"),
        Key("greater_than_sign", "do('step_to_end', -1)", "Last checkpoint", "The last checkpoint.", "side.last"),
        Key("x", "do('swap')", "Swap the sides", "Exchange models and settings.", "side.swap"),
        Key("r", "do('reroll')", "Another seed", "Write both with another seed.", "side.reroll"),
        Key("p", "edit_prime", "Prime", "Edit the prime of both.", "side.prime", footer=True),
        Key("f6", "prime_nearest", "Nearest characters", "Replace unknown characters of the prime.", "side.nearest"),
        Key("d", "show_difference", "First difference", "Scroll to the first difference.", "side.difference"),
        Key(
            "escape,vertical_line", "leave", "Back", "Back to the playground.", "side.leave", footer=True, display="Esc"
        ),
        *control_keys("side"),
        Key("pageup", "scroll('pageup')", "Page up", "Scroll both a page up.", "side.pageup"),
        Key("pagedown", "scroll('pagedown')", "Page down", "Scroll both a page down.", "side.pagedown"),
        Key("home", "scroll('home')", "Start", "Scroll both to the start.", "side.home"),
        Key("end", "scroll('end')", "End", "Scroll both to the end.", "side.end"),
    )
    BINDINGS = bindings_of(KEYS)

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
        defaults: PlaySettings = DEFAULTS,
    ) -> None:
        """Begins with this model and these settings on both sides. new_seed: for a reroll; clock: seconds.

        defaults: the settings that a control is reset to.
        """
        super().__init__()
        self._backend, self._active_run, self._jobs = backend, active_run, jobs
        self.comparison = Comparison(ModelCache(backend, active_run), jobs, model, prime, settings, new_seed, clock)
        self.panes = [SidePane(side, self._scroll_both) for side in self.comparison.sides]
        side, check = self.comparison.side, self.comparison.check
        self.controls = _Controls(
            side.settings, self._set_control, check=check, controls=SIDE_CONTROLS, defaults=defaults
        )
        self._status = Static("", id="side-status", markup=False)
        self._timer: Timer | None = None
        self._slides = False  # whether the chosen side has a slider

    def compose(self) -> ComposeResult:
        yield self.header
        with Container(id="sides"):
            yield from self.panes
        yield self._status
        yield self.controls
        yield KeyFooter()

    @cached_property
    def prime_field(self) -> PrimeField:
        """Shown while the prime is edited, and only made then: it takes a seventh of the time of the first frame."""
        field = PrimeField(self._jobs)
        field.prime = self.comparison.prime
        return field

    def on_mount(self) -> None:
        self._timer = self.set_interval(DRAW_SECONDS, self._poll, name="comparison")
        self.comparison.write()

    def on_unmount(self) -> None:
        self.comparison.close()

    def on_screen_suspend(self) -> None:
        self._pause()

    def on_screen_resume(self) -> None:
        self._update()

    def on_resize(self) -> None:
        if self.is_active:  # else it is done when it becomes so
            self._update()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No slider where no checkpoints were kept; no prime from a file or from the training text."""
        if action in ("prime_file", "prime_line"):  # keys of the field
            return False
        if action == "do" and parameters[0] in ("step_by", "step_to_end") and self.comparison.side.stage is None:
            return False
        return super().check_action(action, parameters)

    # -- drawing -------------------------------------------------------------------------------------------------------

    def _update(self) -> None:
        """Show the comparison as it is now, and poll until its texts are written."""
        comparison, shared = self.comparison, self.comparison.shared
        self.controls.settings = comparison.side.settings
        for pane in self.panes:
            settings = pane.side.settings
            differing = [f"{control.name} {control.shown(settings)} · " for control in comparison.differing_controls]
            pane.draw(shared, comparison.linked or pane.side is comparison.side, "".join(differing))
        show_line(self._status, as_fits(status_of(comparison), self.size.width - 2, " · "))
        if self._slides != (slides := comparison.side.stage is not None):
            self._slides = slides
            self.refresh_bindings()
        if self._timer is not None:
            self._timer.resume()

    def _poll(self) -> None:
        if self.comparison.poll():
            self._update()
        if not self.comparison.busy:
            self._pause()

    def _pause(self) -> None:
        if self._timer is not None:
            self._timer.pause()

    def _scroll_both(self, row: int) -> None:
        for pane in self.panes:
            pane.view.follow_to(row)

    # -- controls and sides --------------------------------------------------------------------------------------------

    def _set_control(self, control: PlayControl, settings: PlaySettings) -> None:
        self.comparison.set_control(control, settings)
        self._update()

    def action_control(self, method: str, *arguments: int) -> None:
        getattr(self.controls, method)(*arguments)

    def action_do(self, method: str, *arguments: int) -> None:
        """Call a method of the comparison; show what it has changed, and the line that it returns."""
        self._notify(getattr(self.comparison, method)(*arguments) or "")
        self._update()

    def _notify(self, message: str) -> None:
        if message:
            self.notify(message, markup=False)

    # -- prime ---------------------------------------------------------------------------------------------------------

    async def action_edit_prime(self) -> None:
        if not self.prime_field.is_attached:
            await self.mount(self.prime_field, after=self.header)
        self.prime_field.model = self.comparison.side.model
        self.prime_field.display = True  # what is not shown cannot take the focus
        self.prime_field.edit()

    def action_prime_nearest(self) -> None:
        self._notify(self.prime_field.put_nearest())

    @on(PrimeField.Changed)
    def prime_changed(self, event: PrimeField.Changed) -> None:
        self.comparison.set_prime(event.prime)
        self._update()

    @on(PrimeInput.Entered)
    @on(PrimeInput.Left)
    def leave_prime(self) -> None:
        self.prime_field.display = False
        self.set_focus(self.controls if self.controls.focusable else None)

    # -- models --------------------------------------------------------------------------------------------------------

    def action_choose_model(self) -> None:
        """Weights of a run in training stay as they were when they were chosen; chosen again they are newer."""
        chosen = replace(self.comparison.side.source, moment=0)
        self.app.push_screen(ModelMenu(self._backend, self._active_run, self._jobs, chosen), self._model_chosen)

    def _model_chosen(self, chosen: LoadedModel | ModelSource | None) -> None:
        if chosen is not None:
            self.comparison.use(chosen)
            self._update()

    @on(TrainingSlider.Moved)
    def slider_moved(self, event: TrainingSlider.Moved) -> None:
        self.comparison.chosen = self.comparison.sides.index(event.side)
        self.comparison.use_step(event.step)
        self._update()

    # -- texts ---------------------------------------------------------------------------------------------------------

    def action_show_difference(self) -> None:
        shared, shown = self.comparison.shared, self.comparison.sides[0].shown
        if shared is not None and shown is not None:
            self.panes[0].view.show_position(len(shown.prime) + shared)
        else:
            self._notify("the texts do not differ")

    def action_scroll(self, where: str) -> None:
        """Scroll both texts: pageup, pagedown, home, end."""
        view = max((pane.view for pane in self.panes), key=lambda view: view.max_scroll_y)
        top, height = view.scroll_offset.y, view.text_area_size.height
        tops = {"pageup": top - height, "pagedown": top + height, "home": 0, "end": view.max_scroll_y}
        view.show_row(tops[where])

    def action_leave(self) -> None:
        if self.is_active:  # not by the second of two keys that came at once
            self.dismiss(None)


def status_of(comparison: Comparison) -> list[str]:
    """Which side the keys act on, where the texts differ, and their surprise: the parts of a line."""
    one, other = comparison.sides
    acting = "linked" if comparison.linked else f"{comparison.side.letter} alone"
    if not (one.text and other.text and one.shown and other.shown):
        return [acting]
    losses, shared = [one.shown.nats_per_char, other.shown.nats_per_char], comparison.shared
    in_nats, in_bits = (" | ".join(f"{loss:.2f}" for loss in unit) for unit in (losses, map(bits, losses)))
    figures = [f"{in_nats} nats/char", f"{in_bits} bits/char"]
    if shared is None:
        same = "same text" if len(one.text) == len(other.text) else "same as far as both go"
        return [acting, f"{same}, {min(len(one.text), len(other.text)):,} chars", *figures]
    differing = f"{symbol_of(one.text[shared])} | {symbol_of(other.text[shared])}"
    return [acting, f"part at character {shared + 1:,}: {differing} ({shared:,} in common)", *figures]

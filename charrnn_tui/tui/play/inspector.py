"""The inspector: the model's prediction at one character of the text, and how the current controls change it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len
from textual import events
from textual.geometry import clamp

from charrnn_tui.playground.branches import Branch
from charrnn_tui.playground.playground import Playground
from charrnn_tui.run.quantities import nats
from charrnn_tui.sampling.distribution import Distribution
from charrnn_tui.text.vocabulary import Vocabulary
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.play.drawn_rows import DrawnRows, Row, components
from charrnn_tui.tui.play.next_character import bar
from charrnn_tui.tui.textview.text_view import TextView
from charrnn_tui.tui.textview.visible import symbol_of

_HEAD_ROWS: Final = 3  # above the bars
_PERCENT_CELLS: Final = 7  # with a blank in front, where a bar of 100 % ends
_SYMBOL_CELLS: Final = 5  # a pointer, a star for the written character, the symbol, a blank
_NAMED_KEYS: Final = {"enter": "\n", "tab": "\t"}


@dataclass(frozen=True)
class Inspection:
    """A written character and the distribution that predicted it."""

    position: int
    token_id: int
    distribution: Distribution
    vocabulary: Vocabulary


class Inspector(DrawnRows, can_focus=True):
    """Bars of the whole distribution, before and after the controls; with one row of height, only the figures."""

    COMPONENT_CLASSES = components("head", "figures", "bar", "chosen")
    HELP = """The probabilities from which the character under the cursor was drawn. In the text, arrows or the mouse \
move the cursor, and Enter goes to the bars."""
    TERMS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("model", "the probabilities of the model; rank, surprise and entropy come from these"),
        ("controls", "the same after ban, only, DRY, temperature, top-k, top-p, min-p as they are now; – if excluded"),
        ("✶", "the character that was written"),
        ("bits", "surprise: 0 was certain, 1 had an even chance, each further bit halves the probability"),
    )

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("enter", "fork", "Fork", "Go on from here with the chosen character.", "inspector.fork", footer=True),
        Key("up", "choose(-1)", "Bar above", "Choose the bar above.", "inspector.above"),
        Key("down", "choose(1)", "Bar below", "Choose the bar below.", "inspector.below"),
        Key("pageup", "choose(-10)", "Ten bars up", "Choose the bar ten above.", "inspector.ten_above"),
        Key("pagedown", "choose(10)", "Ten bars down", "Choose the bar ten below.", "inspector.ten_below"),
        Key("left", "step(-1)", "Character before", "Inspect the character before.", "inspector.left"),
        Key("right", "step(1)", "Character after", "Inspect the character after.", "inspector.right"),
        Key("escape", "leave", "Back", "Go back to the text.", "inspector.leave", footer=True),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(self, playground: Playground, text_view: TextView, on_fork: Callable[[int, int], None]) -> None:
        """text_view: the cursor in it chooses the character. on_fork: called with a position and a token id."""
        super().__init__()
        self._playground, self._text_view, self._on_fork = playground, text_view, on_fork
        self.inspection: Inspection | None = None
        self.place = 0  # of the chosen bar: 0 is the most likely character
        self.asking = False  # whether the next key names the character whose bar is to be chosen
        self._note = ""  # instead of an inspection
        self._problem = ""

    def update(self) -> None:
        """Show the character under the cursor, prime included, as the controls are now.

        The bar of the written character is chosen, unless only the controls have changed.
        """
        generated, cursor = self._playground.writer.generated, self._text_view.cursor
        before, self.inspection = self.inspection, None
        self._note = self._problem = ""
        if generated is None or cursor is None:
            self._note = "nothing written yet"
        elif (position := cursor - len(generated.prime)) < 0:
            self._note = "this character belongs to the prime: p edits it"
        elif position < len(generated):
            distribution = self._playground.distribution_at(position)
            new = Inspection(position, generated.ids[position], distribution, generated.vocabulary)
            self.inspection = new
            if before is None or (before.position, before.token_id) != (new.position, new.token_id):
                self.place = distribution.place_of(new.token_id)
        self.redraw()

    def place_cursor(self, branch: Branch) -> None:
        """Put the cursor where this branch begins to differ from its parent, or at the end of the text."""
        if self._text_view.length:
            forked_at = len(branch.generated.prime) + branch.position
            self._text_view.cursor = forked_at if branch.parent is not None else self._text_view.length - 1

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.asking = self.asking and has_focus
        self.redraw()

    def ask_symbol(self) -> None:
        """Choose the bar of the character that the next key types."""
        self._problem = ""
        self.screen.set_focus(self)  # now: the keys that follow may already be waiting
        self.asking = True
        self.redraw()

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """While a character is asked for, every key is one."""
        return self.asking

    def on_key(self, event: events.Key) -> None:
        if self.asking:
            event.stop()
            event.prevent_default()
            self._choose_symbol(event)

    def _choose_symbol(self, event: events.Key) -> None:
        """Choose the bar of the typed character; Esc cancels."""
        self.asking = False
        character, found = _NAMED_KEYS.get(event.key, event.character), self.inspection
        if event.key != "escape" and character and found is not None:
            token_id = found.vocabulary.index.get(character)
            if token_id is None:
                self._problem = f"{symbol_of(character)} is not in this model's alphabet"
            else:
                self.place = found.distribution.place_of(token_id)
        self.redraw()

    def action_choose(self, by: int) -> None:
        if self.inspection is not None:
            self.place = clamp(self.place + by, 0, len(self.inspection.vocabulary) - 1)
            self.redraw()

    def action_step(self, by: int) -> None:
        self._text_view.cursor = (self._text_view.cursor or 0) + by

    def action_leave(self) -> None:
        self.screen.set_focus(self._text_view)

    def action_fork(self) -> None:
        if (found := self.inspection) is not None:
            self._on_fork(found.position, int(found.distribution.order[self.place]))

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked bar; fork at a second click on the same bar."""
        row = event.y - _HEAD_ROWS
        if self.size.height > 1 and row >= 0:
            before = self.place
            self.action_choose(self._first_place() + row - before)
            if self.place == before:
                self.action_fork()

    def _first_place(self) -> int:
        """The bar in the first row, such that the chosen one is visible."""
        rows = max(1, self.size.height - _HEAD_ROWS)
        return max(0, self.place - rows + 1)

    def rows(self) -> list[Row]:
        found, height = self.inspection, self.size.height
        if found is None:
            return [[("figures", self._note)]]
        distribution, vocabulary = found.distribution, found.vocabulary
        statistics = distribution.statistics(found.token_id)
        symbol = symbol_of(vocabulary.tokens[found.token_id])
        surprise = f"{nats(statistics.surprise_bits):.2f} nats ({statistics.surprise_bits:.2f} bits)"
        rank = f"{symbol} rank {statistics.rank} of {len(vocabulary)} · {surprise}"
        entropies = f"entropy {nats(statistics.entropy_bits):.2f} → {nats(distribution.entropy_after_bits):.2f} nats"
        figures = f"{entropies} · kept {distribution.kept} · {distribution.kept_mass:.0%}"
        if height <= 1:
            return [[("head", rank), ("figures", f"  {figures}")]]
        half = max(1, (self.size.width - _SYMBOL_CELLS - 2 * _PERCENT_CELLS - 1) // 2)  # cells of a bar of 100 %
        heading = f"{'':{_SYMBOL_CELLS}}{'model':<{half + _PERCENT_CELLS + 1}}with the controls"
        if self._problem or self.asking:
            heading = self._problem or "type a symbol …"
        places = range(self._first_place(), len(vocabulary))[: max(0, height - _HEAD_ROWS)]
        bars = [self._bar_row(found, place, half) for place in places]
        return [[("head", rank)], [("figures", figures)], [("figures", heading)], *bars]

    def _bar_row(self, found: Inspection, place: int, half: int) -> Row:
        distribution = found.distribution
        token_id = int(distribution.order[place])
        symbol, chosen = symbol_of(found.vocabulary.tokens[token_id]), place == self.place
        lead = ("▸" if chosen else " ") + ("✶" if token_id == found.token_id else " ") + symbol
        before, after = distribution.before_at(place), distribution.after_at(place)
        return [
            ("chosen" if chosen and self.has_focus else "head", lead + " " * (_SYMBOL_CELLS - cell_len(lead))),
            ("bar", bar(before, half).ljust(half)),
            ("figures", _percent(before) + " "),
            ("bar", (bar(after, half) if after else "").ljust(half)),
            ("figures", _percent(after) if after else "–".rjust(_PERCENT_CELLS)),
        ]


def _percent(share: float) -> str:
    """Such as `41.2%`, with enough digits for small shares to differ."""
    percent = 100 * share
    if share >= 0.00095:
        digits = f"{percent:.1f}"
    elif percent >= 0.00095:
        digits = f"{percent:.3f}"
    else:
        digits = f"{max(percent, 1e-99):.0e}".replace("e-0", "e-")  # below that only the bound is shown
    return f"{digits}%".rjust(_PERCENT_CELLS)

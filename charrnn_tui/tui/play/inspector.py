"""The inspector: the model's prediction at one character of the text, and how the current controls change it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.geometry import Region, clamp
from textual.reactive import Reactive, reactive
from textual.strip import Strip
from textual.widget import Widget

from charrnn_tui.playground.branches import Branch
from charrnn_tui.playground.playground import Playground
from charrnn_tui.sampling.distribution import CharacterStatistics, Distribution
from charrnn_tui.text.vocabulary import Vocabulary
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.play.next_character import bar
from charrnn_tui.tui.textview.text_view import TextView
from charrnn_tui.tui.textview.visible import symbol_of

_HEAD_ROWS: Final = 3  # above the bars
_PERCENT_CELLS: Final = 7  # with a blank in front, where a bar of 100 % ends
_SYMBOL_CELLS: Final = 5  # a pointer, a star for the written character, the symbol, a blank
_NAMED_KEYS: Final = {"enter": "\n", "tab": "\t"}

Line = list[tuple[str, str]]  # (component, text)


@dataclass(frozen=True)
class Inspection:
    """A written character and the distribution that predicted it."""

    position: int
    token_id: int
    distribution: Distribution

    @property
    def statistics(self) -> CharacterStatistics:
        return self.distribution.statistics(self.token_id)


@dataclass(frozen=True)
class Finding:
    """What the inspector shows. note: shown where there is no inspection."""

    vocabulary: Vocabulary
    inspection: Inspection | None
    note: str = ""


def finding_at(playground: Playground, cursor: int | None) -> Finding | None:
    """The character under a cursor of the text, prime included, under the current settings; None without a text."""
    generated = playground.writer.generated
    if generated is None or cursor is None:
        return None
    position = cursor - len(generated.prime)
    if position < 0:
        return Finding(generated.vocabulary, None, "this character belongs to the prime: p edits it")
    if position >= len(generated):
        return Finding(generated.vocabulary, None)
    distribution = generated.distribution_at(position, playground.settings.sampling)
    return Finding(generated.vocabulary, Inspection(position, generated.ids[position], distribution))


class Inspector(Widget, can_focus=True):
    """Bars of the whole distribution, before and after the controls; with one row of height, only the figures."""

    HELP = """The probabilities from which the character under the cursor was drawn. In the text, arrows or the mouse \
move the cursor, and Enter goes to the bars."""
    TERMS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("model", "the probabilities of the model; rank, surprise and entropy come from these"),
        ("controls", "the same after temperature, top-k, top-p and min-p as they are now; – if they exclude it"),
        ("✶", "the character that was written"),
        ("bits", "surprise: 0 was certain, 1 had an even chance, each further bit halves the probability"),
    )

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("enter", "fork", "fork", "Go on from here with the chosen character.", "inspector.fork", footer=True),
        Key("up", "choose(-1)", "Bar above", "Choose the bar above.", "inspector.above"),
        Key("down", "choose(1)", "Bar below", "Choose the bar below.", "inspector.below"),
        Key("pageup", "choose(-10)", "Ten bars up", "Choose the bar ten above.", "inspector.ten_above"),
        Key("pagedown", "choose(10)", "Ten bars down", "Choose the bar ten below.", "inspector.ten_below"),
        Key("left", "step(-1)", "Character before", "Inspect the character before.", "inspector.left"),
        Key("right", "step(1)", "Character after", "Inspect the character after.", "inspector.right"),
        Key("escape", "leave", "back", "Go back to the text.", "inspector.leave", footer=True),
    )
    BINDINGS = bindings_of(KEYS)
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "inspector--head",
        "inspector--figures",
        "inspector--bar",
        "inspector--chosen",
    }

    finding: Reactive[Finding | None] = reactive(None, repaint=False)
    place: Reactive[int] = reactive(0, repaint=False)
    """The chosen bar: 0 is the most likely character."""
    asking: Reactive[bool] = reactive(False, repaint=False)
    """Whether the next key names the character whose bar is to be chosen."""

    def __init__(self, playground: Playground, text_view: TextView, on_fork: Callable[[int, int], None]) -> None:
        """text_view: the cursor in it chooses the character. on_fork: called with a position and a token id."""
        super().__init__()
        self._playground, self._text_view, self._on_fork = playground, text_view, on_fork
        self._problem = ""
        self._drawn: list[Line] = []

    def update(self) -> None:
        """Show the character under the cursor as it is now."""
        self.finding = finding_at(self._playground, self._text_view.cursor)

    def place_cursor(self, branch: Branch) -> None:
        """Put the cursor where this branch begins to differ from its parent, or at the end of the text."""
        if self._text_view.length:
            forked_at = len(branch.generated.prime) + branch.position
            self._text_view.cursor = forked_at if branch.parent is not None else self._text_view.length - 1

    def watch_finding(self, before: Finding | None, finding: Finding | None) -> None:
        """Choose the bar of the written character, unless only the controls have changed."""
        old, new = (found.inspection if found is not None else None for found in (before, finding))
        self._problem = ""
        if new is not None and (old is None or old.position != new.position or old.token_id != new.token_id):
            self.place = new.statistics.rank - 1
        self._redraw()

    def validate_place(self, place: int) -> int:
        return clamp(place, 0, len(self.finding.vocabulary) - 1) if self.finding is not None else 0

    def watch_place(self) -> None:
        self._redraw()

    def watch_asking(self) -> None:
        self._redraw()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.asking = self.asking and has_focus
        self._redraw()

    def ask_symbol(self) -> None:
        """Choose the bar of the character that the next key types."""
        self._problem = ""
        self.screen.set_focus(self)  # now: the keys that follow may already be waiting
        self.asking = True

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
        character = _NAMED_KEYS.get(event.key, event.character)
        if event.key != "escape" and character and self.finding is not None:
            token_id = self.finding.vocabulary.index.get(character)
            if token_id is None:
                self._problem = f"{symbol_of(character)} is not in this model's alphabet"
                self._redraw()
            elif self.finding.inspection is not None:
                self.place = self.finding.inspection.distribution.place_of(token_id)

    def action_choose(self, by: int) -> None:
        self.place += by

    def action_step(self, by: int) -> None:
        self._text_view.cursor = (self._text_view.cursor or 0) + by

    def action_leave(self) -> None:
        self.screen.set_focus(self._text_view)

    def action_fork(self) -> None:
        found = self.finding.inspection if self.finding is not None else None
        if found is not None:
            self._on_fork(found.position, int(found.distribution.order[self.place]))

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked bar; fork at a second click on the same bar."""
        row = event.y - _HEAD_ROWS
        if self.size.height > 1 and row >= 0:
            place, before = self._first_place() + row, self.place
            self.place = place
            if place == before:
                self.action_fork()

    def on_resize(self) -> None:
        self._drawn = self._lines()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        lines = self._drawn
        segments = [
            Segment(text, self.get_component_rich_style(f"inspector--{name}"))
            for name, text in (lines[y] if y < len(lines) else [])
        ]
        return Strip(segments).crop_extend(0, self.size.width, self.rich_style)

    def _redraw(self) -> None:
        """Repaint the rows that have changed."""
        before, self._drawn = self._drawn, self._lines()
        for row in range(self.size.height):
            if before[row : row + 1] != self._drawn[row : row + 1]:
                self.refresh(Region(0, row, self.size.width, 1))

    def _first_place(self) -> int:
        """The bar in the first row, such that the chosen one is visible."""
        rows = max(1, self.size.height - _HEAD_ROWS)
        return max(0, self.place - rows + 1)

    def _lines(self) -> list[Line]:
        finding = self.finding
        if finding is None or finding.inspection is None:
            return [[("figures", finding.note if finding is not None else "nothing written yet")]]
        head = self._head(finding.inspection, finding.vocabulary)
        if self.size.height <= 1:
            return [[head[0], ("figures", "  "), head[1]]]
        half = self._half_cells()
        heading = f"{'':{_SYMBOL_CELLS}}{'model':<{half + _PERCENT_CELLS + 1}}with the controls"
        if self._problem or self.asking:
            heading = self._problem or "type a symbol …"
        rows = range(self._first_place(), len(finding.vocabulary))[: max(0, self.size.height - _HEAD_ROWS)]
        bars = [self._bar_line(finding.inspection, finding.vocabulary, place) for place in rows]
        return [[head[0]], [head[1]], [("figures", heading)], *bars]

    def _head(self, found: Inspection, vocabulary: Vocabulary) -> tuple[tuple[str, str], tuple[str, str]]:
        distribution, statistics = found.distribution, found.statistics
        symbol = symbol_of(vocabulary.tokens[found.token_id])
        rank = f"{symbol} rank {statistics.rank} of {len(vocabulary)} · {statistics.surprise_bits:.2f} bits"
        entropies = f"entropy {statistics.entropy_bits:.2f} → {distribution.entropy_after_bits:.2f}"
        kept = f"kept {distribution.kept} · {distribution.kept_mass:.0%}"
        return ("head", rank), ("figures", f"{entropies} · {kept}")

    def _half_cells(self) -> int:
        """The length of a bar of 100 %, on either side."""
        return max(1, (self.size.width - _SYMBOL_CELLS - 2 * _PERCENT_CELLS - 1) // 2)

    def _bar_line(self, found: Inspection, vocabulary: Vocabulary, place: int) -> Line:
        distribution, half = found.distribution, self._half_cells()
        token_id = int(distribution.order[place])
        symbol, chosen = symbol_of(vocabulary.tokens[token_id]), place == self.place
        lead = ("▸" if chosen else " ") + ("✶" if token_id == found.token_id else " ") + symbol
        lead += " " * (_SYMBOL_CELLS - cell_len(lead))
        before, after = distribution.before_at(place), distribution.after_at(place)
        first = bar(before, half).ljust(half)
        second = bar(after, half).ljust(half) if after else " " * half
        lead_style = "chosen" if chosen and self.has_focus else "head"
        return [
            (lead_style, lead),
            ("bar", first),
            ("figures", _percent(before) + " "),
            ("bar", second),
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

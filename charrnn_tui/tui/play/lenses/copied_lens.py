"""A lens that underlines what stands word for word in the training text of the model."""

from collections.abc import Callable, Sequence
from typing import Final

from charrnn_tui.playground.copies import LEVELS, Copies
from charrnn_tui.playground.models import LoadedModel
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.tui.textview.lens import Lens, Page

_CLASSES: Final = (1, 3, 4, 5)  # plain, underlined, bold and underlined, reversed


class CopiedLens:
    """Of the written characters; the prime is the user's."""

    def __init__(self, copies: Copies, model: Callable[[], LoadedModel | None]) -> None:
        """model: the one that writes."""
        self._copies, self._model = copies, model
        labels = (" new ", *(f" {least}+ " for least in LEVELS))
        scale = tuple(zip(labels, _CLASSES, strict=True))
        about = f"passages of {LEVELS[0]} characters or more from the training text"
        self.lens = Lens("copied", about, scale, self._classes, self._figures, self._look)

    def _look(self, page: Page) -> None:
        if (model := self._model()) is not None:
            self._copies.ask(model, page.text)

    def _classes(self, text: GeneratedText, start: int, end: int) -> Sequence[int]:
        copied, primed = self._copies.of(text), len(text.prime)
        if copied is None:
            return [-1] * (end - start)
        within = max(0, min(end, primed) - start)
        levels = copied.levels[max(0, start - primed) : max(0, end - primed)].tolist()
        known = [-1] * within + [_CLASSES[level] for level in levels]
        return known + [-1] * (end - start - len(known))

    def _figures(self, page: Page) -> Sequence[str]:
        """The share of what is copied and the longest passage or, in a passage, where it comes from."""
        copied = self._copies.of(page.text)
        if copied is None:
            return ["no training text" if self._copies.problem else "reading the training text …"]
        passage = copied.passage_at(page.place - len(page.text.prime)) if page.cursor is not None else None
        share = f"{copied.share:.0%} copied"
        if passage is None:
            usual = "" if copied.usual is None else f", {copied.usual:.0%} of the held-out text"
            longest = f" · longest {copied.longest} chars" if copied.longest else ""
            return [share, share + usual, f"{share}{usual}{longest}", f"{share}{usual}{longest} · {copied.name}"]
        line, character = copied.place_of(passage)
        length = f"{passage.end - passage.begin} chars"
        return [
            f"line {line:,}",
            f"{length}: line {line:,}, char {character}",
            f"{length}: line {line:,}, char {character} of {copied.name}",
            f"{share} · {length}: line {line:,}, char {character} of {copied.name}",
        ]

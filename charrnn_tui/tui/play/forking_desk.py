"""Going on from any place of a text, and turning from branch to branch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from charrnn_tui.tui.play.writing_desk import WritingDesk
from charrnn_tui.tui.textview.character_symbol import symbol_of

if TYPE_CHECKING:
    from charrnn_tui.playground.branches import Branch

ANOTHER_TEXT: Final = "there is another text now, which is not so long yet"


class ForkingDesk(WritingDesk):
    """A writing desk with more than one page on it."""

    # Textual finds a widget's styles by the names of its classes, so those of WritingDesk hold here too.

    def fork(self, position: int, token_id: int, new_seed: Callable[[], int]) -> str:
        """Go on from a written character's place with this one instead; with the same one, by other random numbers.

        Says what stands in the way, or nothing.
        """
        trunk = self.branches.current
        if trunk is None:
            return "there is no text yet"
        if position >= len(trunk.page):  # the key came for the text before
            return ANOTHER_TEXT
        tokens, stood = trunk.page.vocabulary.tokens, trunk.page.ids[position]
        symbol, same = symbol_of(tokens[token_id]), token_id == stood
        origin = f"{symbol} again" if same else f"{symbol} for {symbol_of(tokens[stood])}"
        return self._fork(trunk, position, [token_id], new_seed() if same else None, origin)

    def edit(self, start: int, text: str, new_seed: Callable[[], int]) -> str:
        """Let the written text from `start` on begin with these characters, and go on behind them.

        What stands there already is shared with the text as it was; where all of it does, what follows is written with
        other random numbers. Says what stands in the way, or nothing. Raises UnknownCharacters.
        """
        trunk = self.branches.current
        if trunk is None:
            return "there is no text yet"
        ids, stood = trunk.page.vocabulary.encode(text).tolist(), trunk.page.ids
        if start > len(stood):  # written anew behind the editor
            return ANOTHER_TEXT
        same = next((n for n, (new, old) in enumerate(zip(ids, stood[start:], strict=False)) if new != old), None)
        shared = min(len(ids), len(stood) - start) if same is None else same
        seed = new_seed() if shared == len(ids) else None
        return self._fork(trunk, start + shared, ids[shared:], seed, "edit")

    def _fork(self, trunk: Branch, position: int, token_ids: Sequence[int], seed: int | None, origin: str) -> str:
        if self.words:
            return self.words
        try:
            self.writer.fork(position, token_ids, seed)
        except ValueError as error:
            return str(error)
        assert self.writer.page is not None
        self.branches.grow(trunk.forked(self.writer.page, position, origin))
        self.show_page()
        return ""

    def turn_to_current(self) -> None:
        """Show the branch that the tree stands on; it rests until it is asked to go on."""
        branch = self.branches.current
        if branch is None or branch.page is self.writer.page:
            return
        self.writer.turn_to(branch.page)
        self.feed.turn_to(branch.model)
        self.prime_field.model = branch.model
        if self.prime_field.prime != branch.page.prime:
            self.prime_field.prime, self.prime_is_typed = branch.page.prime, True
        self.show_page()
        self.post_message(self.ModelChanged(branch.model))

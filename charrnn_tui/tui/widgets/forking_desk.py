"""Going on from any place of a text, and turning from branch to branch."""

from collections.abc import Callable

from charrnn_tui.tui.widgets.character_symbol import symbol_of
from charrnn_tui.tui.widgets.writing_desk import WritingDesk


class ForkingDesk(WritingDesk):
    """A writing desk with more than one page on it."""

    # Textual finds a widget's styles by the names of its classes, so those of WritingDesk hold here too.

    def fork(self, position: int, token_id: int, new_seed: Callable[[], int]) -> str:
        """Go on from a written character's place with this one instead; with the same one, by other random numbers.

        Says what stands in the way, or nothing.
        """
        trunk = self.branches.current
        if trunk is None or self.feed.words:
            return self.feed.words or "there is no text yet"
        page = trunk.page
        same = token_id == page.ids[position]
        try:
            self.writer.fork(position, token_id, new_seed() if same else None)
        except ValueError as error:
            return str(error)
        assert self.writer.page is not None
        symbol = symbol_of(page.vocabulary.tokens[token_id])
        origin = f"{symbol} again" if same else f"{symbol} for {symbol_of(page.vocabulary.tokens[page.ids[position]])}"
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

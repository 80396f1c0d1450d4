"""A page from its recipe and its characters: exact states and distributions, whatever the machine rounds to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from charrnn_tui.sampling.generated_text import GeneratedText
    from charrnn_tui.sampling.recipe import Recipe
    from charrnn_tui.sampling.sampler import Sampler

HEAR_EVERY = 64  # characters between two reports


def write_on(
    page: GeneratedText,
    sampler: Sampler,
    recipe: Recipe,
    ids: Sequence[int],
    hear: Callable[[int], None] = lambda written: None,
) -> None:
    """Write ids[len(page):] behind a page that was written as the recipe's beginning; the sampler stands at its end.

    The characters are the given ones, not drawn again, so that another processor's last bits cannot change the text.
    `hear` is told, now and then, how many characters stand there; what it raises ends the writing.
    """
    start = len(page)
    for position in range(start, len(ids)):
        if position in recipe.seeds and position > 0:
            sampler.reseed(recipe.seeds[position])
            page.change_seed(recipe.seeds[position])
        if position in recipe.settings:
            sampler.settings = recipe.settings[position]
        page.write(sampler, ids[position], chosen=position in recipe.forced)
        if position % HEAR_EVERY == 0:
            hear(position - start)
    page.look()

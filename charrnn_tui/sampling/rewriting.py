"""Until its last caller uses `recipe.follow`."""

from collections.abc import Callable, Sequence

from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.recipe import Recipe, follow
from charrnn_tui.sampling.sampler import Sampler


def write_on(
    page: GeneratedText, sampler: Sampler, recipe: Recipe, ids: Sequence[int], hear: Callable[[int], None]
) -> None:
    """`follow` to the end."""
    for done, _ in enumerate(follow(recipe, sampler, page, ids)):
        if done % 64 == 0:
            hear(done)
    page.compute_statistics()

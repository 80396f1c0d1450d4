"""A page as JSON: every character with what the model thought of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from charrnn_tui.sampling.generated_text import GeneratedText

LIKELIEST: Final = 10  # alternatives told for each character


def page_record(page: GeneratedText) -> dict[str, Any]:
    """JSON-native values: `prime`, `text`, `chars`, totals, and `characters`, one object each.

    probability: the model's own; chosen_probability: what it was drawn with, after the controls. surprise_bits,
    entropy_bits: of the model's own distribution; rank: 1 is its likeliest. forced: a person chose it. likeliest: up to
    ten pairs of a character and the model's own probability of it. Numbers are rounded to six digits.
    """
    chars, forced = len(page), set(page.forced)
    mean = page.total_bits / chars if chars else None
    return {
        "prime": page.prime,
        "text": page.text,
        "chars": chars,
        "total_bits": _rounded(page.total_bits),
        "bits_per_char": _rounded(mean) if mean is not None else None,
        "perplexity": _rounded(2.0**mean) if mean is not None else None,
        "characters": [_character(page, position, position in forced) for position in range(chars)],
    }


def _character(page: GeneratedText, position: int, forced: bool) -> dict[str, Any]:
    tokens, distribution = page.vocabulary.tokens, page.distribution_at(position)
    place = distribution.place_of(page.ids[position])
    likeliest = distribution.order[:LIKELIEST].tolist()
    return {
        "character": tokens[page.ids[position]],
        "probability": _rounded(distribution.before_at(place)),
        "chosen_probability": _rounded(distribution.after_at(place)),
        "surprise_bits": _rounded(page.surprises[position]),
        "entropy_bits": _rounded(page.entropies[position]),
        "rank": place + 1,
        "forced": forced,
        "likeliest": [[tokens[token], _rounded(distribution.before_at(at))] for at, token in enumerate(likeliest)],
    }


def _rounded(number: float) -> float:
    return float(f"{number:.6g}")

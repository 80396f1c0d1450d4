"""A text as JSON: every character with its statistics."""

from typing import Any, Final

from charrnn_tui.sampling.generated_text import GeneratedText

LIKELIEST: Final = 10  # tokens listed for each character


def text_record(text: GeneratedText) -> dict[str, Any]:
    """JSON-native values: `prime`, `text`, `chars`, totals, and `characters`, one object each.

    probability: the model's own; chosen_probability: after the controls. surprise_bits, entropy_bits: of the model's
    own distribution; rank: 1 is its likeliest. forced: a person chose it. likeliest: up to ten pairs of a character and
    the model's own probability of it. Numbers are rounded to six digits.
    """
    chars, forced = len(text), set(text.forced)
    mean = text.total_bits / chars if chars else None
    return {
        "prime": text.prime,
        "text": text.text,
        "chars": chars,
        "total_bits": _rounded(text.total_bits),
        "bits_per_char": _rounded(mean) if mean is not None else None,
        "perplexity": _rounded(2.0**mean) if mean is not None else None,
        "characters": [_character(text, position, position in forced) for position in range(chars)],
    }


def _character(text: GeneratedText, position: int, forced: bool) -> dict[str, Any]:
    tokens, distribution = text.vocabulary.tokens, text.distribution_at(position)
    statistics = distribution.statistics(text.ids[position])
    likeliest = distribution.order[:LIKELIEST].tolist()
    return {
        "character": tokens[text.ids[position]],
        "probability": _rounded(statistics.probability),
        "chosen_probability": _rounded(statistics.chosen_probability),
        "surprise_bits": _rounded(statistics.surprise_bits),
        "entropy_bits": _rounded(statistics.entropy_bits),
        "rank": statistics.rank,
        "forced": forced,
        "likeliest": [[tokens[token], _rounded(distribution.before_at(at))] for at, token in enumerate(likeliest)],
    }


def _rounded(number: float) -> float:
    return float(f"{number:.6g}")

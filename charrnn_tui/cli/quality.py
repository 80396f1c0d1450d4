"""The keys of JSON objects that several commands share."""

import math
from typing import Any

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.run.quantities import LN2, bits


def quality(total_bits: float, chars: int) -> dict[str, float | None]:
    """`loss` (nats/char), `bits_per_char` and `perplexity` of a text whose characters cost so many bits together."""
    return quality_of_loss(total_bits * LN2 / chars if chars else None)


def quality_of_loss(loss: float | None) -> dict[str, float | None]:
    """The same, from nats per character; null where there is none."""
    if loss is None:
        return {"loss": None, "bits_per_char": None, "perplexity": None}
    perplexity = math.exp(loss) if loss < 700 else math.inf  # beyond that a double overflows
    return {"loss": loss, "bits_per_char": bits(loss), "perplexity": perplexity}


def model_facts(checkpoint: Checkpoint) -> dict[str, Any]:
    """`tokens`, `parameters` and what the network looks like."""
    return {
        "tokens": len(checkpoint.vocabulary),
        "parameters": checkpoint.parameters,
        "cell": checkpoint.facts.get("cell", "lstm"),
        "n_hidden": checkpoint.n_hidden,
        "n_layers": checkpoint.n_layers,
    }

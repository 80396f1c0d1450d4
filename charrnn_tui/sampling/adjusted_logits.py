"""What acts on the logits before temperature: characters that are not to be written, and a penalty on repetition."""

import math
from array import array
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.vocabulary import UnknownCharacters, Vocabulary

NOT_FINITE: Final = "the model gives NaN or infinite logits"
HISTORY: Final = 4096  # characters, those of the prime included, in which a repetition is looked for
BASE: Final = 1.75  # by which each further character of a repetition multiplies the penalty
LARGEST: Final = 1e4  # nats; at temperature 1 a probability of 0 in float64 from 745 on


@dataclass(frozen=True, eq=False)
class AdjustedLogits:
    """ids: of the A tokens that may be written, rising, (A). logits: of these, less their penalties, (A), float32."""

    ids: NDArray[np.intp]
    logits: NDArray[np.float32]


def adjusted(
    logits: NDArray[np.float32], settings: SamplingSettings, vocabulary: Vocabulary, history: "array[int]"
) -> AdjustedLogits | None:
    """The logits (V) of the character after `history` as they are drawn from; None where the settings leave them alone.

    history: the ids before it, of which the last HISTORY count. Raises ValueError where nothing may be written, and
    where logits are not finite.
    """
    if not settings.adjusts_logits:
        return None
    if not np.isfinite(logits).all():
        raise ValueError(NOT_FINITE)
    ids = allowed_ids(vocabulary, settings.ban, settings.only)
    if settings.dry:
        last = np.frombuffer(history[-HISTORY:], np.uintc)
        penalties = repetition_penalties(last, len(logits), settings.dry, settings.dry_length)
        logits = (logits - penalties).astype(np.float32)
    return AdjustedLogits(ids, logits[ids])


def repetition_penalties(
    history: NDArray[np.integer], n_tokens: int, multiplier: float, allowed_length: int
) -> NDArray[np.float64]:
    """What DRY takes off the logit of each token, in nats, (n_tokens) (p-e-w 2024, "Don't Repeat Yourself").

    history: (n), ids. multiplier: above 0. A token that followed an earlier occurrence of the last m characters, m as
    large as possible, would make the repetition m + 1 long: from m = allowed_length on it gets
    multiplier * BASE^(m - allowed_length), at most LARGEST. The occurrence may overlap with the last characters.
    """
    bytes_of = history.astype(np.uint8).tobytes()  # equal ids have equal ones
    if bytes_of.find(bytes_of[-allowed_length:]) >= len(history) - allowed_length:
        return np.zeros(n_tokens)  # nearly always, in a sixth of the time
    end, longest = len(history) - 1, np.zeros(n_tokens, np.intp)
    # From this length on the penalty is LARGEST, whatever the length.
    enough = allowed_length + max(0, math.ceil((math.log(LARGEST) - math.log(multiplier)) / math.log(BASE)))
    ends = np.flatnonzero(history[:-1] == history[end])  # (E), of occurrences
    for length in range(1, enough + 1):  # whose last `length` characters are those of the history
        if not len(ends):
            break
        if length >= allowed_length:
            longest[history[ends + 1]] = length
        ends = ends[int(ends[0] < length) :]  # the first one may begin with the history
        ends = ends[history[ends - length] == history[end - length]]
    with np.errstate(over="ignore"):  # LARGEST in any case
        penalties = multiplier * BASE ** (longest - float(allowed_length))
    return np.where(longest >= allowed_length, np.minimum(penalties, LARGEST), 0.0)


def check_characters(settings: SamplingSettings, vocabulary: Vocabulary) -> None:
    """Raise ValueError that begins with the setting's name, where one has unknown characters or nothing is left."""
    for name, characters in (("ban", settings.ban), ("only", settings.only)):
        if characters is not None and (unknown := vocabulary.unknown(characters)):
            if vocabulary.of_bytes:
                problem = f"{next(iter(unknown))!r}: the characters of this model are bytes, of which that has several"
                raise ValueError(f"{name} has {problem}; it can only be of ASCII")
            raise ValueError(f"{name} has characters {UnknownCharacters(unknown)}")
    allowed_ids(vocabulary, settings.ban, settings.only)


@lru_cache(maxsize=64)
def allowed_ids(vocabulary: Vocabulary, ban: str | None, only: str | None) -> NDArray[np.intp]:
    """The ids that may be written, rising. Unknown characters are ignored. Raises ValueError where no id is left."""
    tokens = vocabulary.tokens
    left = [
        n for n, token in enumerate(tokens) if (only is None or token in only) and (ban is None or token not in ban)
    ]
    if not left:
        name = "ban" if only is None else "only"
        raise ValueError(f"{name} leaves no character of this model's alphabet to be written")
    ids = np.array(left, np.intp)
    ids.flags.writeable = False
    return ids

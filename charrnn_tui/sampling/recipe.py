"""How a text was made, as JSON: enough to write the same characters again.

A character uses up one random number of its seed, drawn or forced, so positions say everything: at a position a seed
starts its random numbers anew, settings come into force, a symbol is forced. The random numbers (PCG64) are the same on
every machine. The logits are the same to the bit with the same NumPy and processor; elsewhere they may differ in the
last bits, and in the rare place where a draw falls between, so may a character: `text_sha256` tells.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.lstm import CharLSTM
from charrnn_tui.sampling.sampler import SampledCharacter, Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.vocabulary import Vocabulary

VERSION: Final = 1
_SETTINGS: Final = tuple(field.name for field in fields(SamplingSettings))
_KEYS: Final = ("version", "checkpoint", "sha256", "prime", "length", "seeds", "settings", "forced", "text_sha256")


class RecipeError(ValueError):
    """Not a recipe, or not one that can be followed; the message is one line."""


@dataclass(frozen=True)
class Recipe:
    """checkpoint, sha256: the model's file and its hash. length: characters after the prime, the first at position 0.

    seeds, settings: by the position from which they hold, the first at 0. forced: symbols that a person chose, by
    position. text_sha256: of the characters after the prime in UTF-8, where they have been written already.
    """

    checkpoint: str
    sha256: str
    prime: str
    length: int
    seeds: Mapping[int, int]
    settings: Mapping[int, SamplingSettings]
    forced: Mapping[int, str]
    text_sha256: str | None = None

    @classmethod
    def of(cls, text: GeneratedText, checkpoint: str, sha256: str) -> Self:
        """How a text was written. Raises RecipeError where it is empty or weights of a training changed in mid-text."""
        if text.mixed:
            raise RecipeError("newer weights came in the middle of this text; no checkpoint writes it again")
        if not text.settings:
            raise RecipeError("nothing has been written yet")
        tokens, length = text.vocabulary.tokens, len(text)
        return cls(
            checkpoint,
            sha256,
            text.prime,
            length,
            {change.position: change.value for change in text.seeds if change.position < max(1, length)},
            {change.position: change.value for change in text.settings},
            {place: tokens[text.ids[place]] for place in text.forced},
            text_hash(text.text),
        )

    @classmethod
    def parse(cls, source: str) -> Self:
        """Read JSON. Raises RecipeError that names what is wrong."""
        try:
            values = json.loads(source)
        except (ValueError, RecursionError) as error:
            raise RecipeError(f"is not JSON: {error}") from None
        if not isinstance(values, dict) or "version" not in values:
            raise RecipeError("is not a recipe (it has no version)")
        if type(values["version"]) is not int or values["version"] != VERSION:
            raise RecipeError(f"is a recipe of version {values['version']!r}, this program reads {VERSION}")
        _exactly(values, _KEYS, "the recipe")
        length = _whole(values["length"], "length")
        recipe = cls(
            _text(values["checkpoint"], "checkpoint"),
            _hash(values["sha256"], "sha256"),
            _text(values["prime"], "prime"),
            length,
            {at: _whole(seed, "a seed") for at, seed in _by_position(values["seeds"], "seeds", length)},
            {at: _settings(given) for at, given in _by_position(values["settings"], "settings", length)},
            {at: _symbol(symbol) for at, symbol in _by_position(values["forced"], "forced", length)},
            None if values["text_sha256"] is None else _hash(values["text_sha256"], "text_sha256"),
        )
        for name, found in (("seeds", recipe.seeds), ("settings", recipe.settings)):
            if 0 not in found:
                raise RecipeError(f"{name} has nothing for position 0")
        return recipe

    def as_json(self) -> dict[str, Any]:
        """JSON-native values, as `parse` reads them."""
        return {
            "version": VERSION,
            "checkpoint": self.checkpoint,
            "sha256": self.sha256,
            "prime": self.prime,
            "length": self.length,
            "seeds": [[at, seed] for at, seed in self.seeds.items()],
            "settings": [[at, asdict(settings)] for at, settings in self.settings.items()],
            "forced": [[at, symbol] for at, symbol in self.forced.items()],
            "text_sha256": self.text_sha256,
        }

    @property
    def name(self) -> str:
        """Eight hexadecimal digits that no other recipe has."""
        return text_hash(json.dumps(self.as_json(), sort_keys=True))[:8]

    def start(self, model: CharLSTM, vocabulary: Vocabulary) -> Sampler:
        """A sampler behind the prime. Raises RecipeError where the model does not know a character."""
        strangers = {symbol for symbol in self.forced.values() if symbol not in vocabulary.index}
        unknown = [*vocabulary.unknown(self.prime), *sorted(strangers)]
        if unknown:
            raise RecipeError(f"the model does not know {', '.join(map(repr, unknown))}")
        return Sampler(model, vocabulary, self.settings[0], seed=self.seeds[0], prime=self.prime)


def follow(
    recipe: Recipe, sampler: Sampler, text: GeneratedText | None = None, ids: Sequence[int] | None = None
) -> Iterator[SampledCharacter]:
    """Write what a recipe says, character by character: the caller may stop between any two.

    sampler: from `Recipe.start`, or at the end of `text`, which was written as the recipe begins and is continued.
    ids: all characters of the text, where they are known: they are not drawn again, so that another processor's last
    bits cannot change them, and `text` gets exact states and distributions.
    """
    for position in range(0 if text is None else len(text), recipe.length if ids is None else len(ids)):
        if position in recipe.seeds and position > 0:
            sampler.reseed(recipe.seeds[position])
            if text is not None:
                text.change_seed(recipe.seeds[position])
        if position in recipe.settings:
            sampler.settings = recipe.settings[position]
        symbol = recipe.forced.get(position)
        token_id = None if symbol is None else sampler.vocabulary.index[symbol]
        if ids is not None:
            token_id = ids[position]
        if text is not None:
            yield text.write(sampler, token_id, chosen=symbol is not None)
        else:
            yield next(sampler) if token_id is None else sampler.force(token_id)


def text_hash(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _exactly(values: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
    for name in names:
        if name not in values:
            raise RecipeError(f"{what} lacks {name}")
    for name in values:
        if name not in names:
            raise RecipeError(f"{what} has {name!r}, which is unknown")


def _whole(value: Any, name: str) -> int:
    if type(value) is not int or value < 0:  # True is an int to isinstance
        raise RecipeError(f"{name} is {value!r}, it must be a whole number from 0 up")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise RecipeError(f"{name} is {value!r}, it must be a text")
    return value


def _hash(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise RecipeError(f"{name} is {value!r}, it must be 64 hexadecimal digits")
    return value


def _symbol(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise RecipeError(f"a forced symbol is {value!r}, it must be a character")
    return value


def _settings(value: Any) -> SamplingSettings:
    if not isinstance(value, dict):
        raise RecipeError(f"settings are {value!r}, they must be an object")
    _exactly(value, _SETTINGS, "an entry of settings")
    for name, number in value.items():
        if type(number) not in (int, float) and not (number is None and name != "temperature"):
            raise RecipeError(f"{name} is {number!r}, it must be a number")
    try:
        return SamplingSettings(**value)
    except ValueError as error:
        raise RecipeError(str(error)) from None


def _by_position(value: Any, name: str, length: int) -> Iterator[tuple[int, Any]]:
    """The pairs of [[position, value], …], positions rising."""
    if not isinstance(value, list):
        raise RecipeError(f"{name} is {value!r}, it must be a list")
    before = -1
    for entry in value:
        if not isinstance(entry, list) or len(entry) != 2:
            raise RecipeError(f"{name} has {entry!r}, it must have pairs of a position and a value")
        position = _whole(entry[0], f"a position in {name}")
        if not before < position < max(1, length):
            raise RecipeError(f"{name} has position {position}: out of order, or behind the length {length}")
        before = position
        yield position, entry[1]

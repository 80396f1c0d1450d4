"""How a text was made, as JSON: enough to write the same characters again.

A character uses up one random number of its seed, drawn or forced, so positions say everything: at a position a seed
starts its random numbers anew, settings come into force, a symbol is forced. It may end before its length, where a
string or a number of lines ends it. The random numbers (PCG64) are the same on
every machine. The logits are the same to the bit with the same NumPy and processor; elsewhere they may differ in the
last bits, and in the rare place where a draw falls between, so may a character: `text_sha256` tells.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Annotated, Any, Final, Self

import msgspec
from msgspec import Meta
from msgspec.structs import astuple

from charrnn_tui.run.decoding import Count, DecodingError, convert, read_json
from charrnn_tui.sampling.adjusted_logits import allowed_ids
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.pins import check_pins
from charrnn_tui.sampling.sampler import SampledCharacter, Sampler
from charrnn_tui.sampling.settings import DRY_LENGTH, PLAIN, SamplingSettings
from charrnn_tui.sampling.stops import NEVER, Stop, StopWatch
from charrnn_tui.text.vocabulary import Vocabulary

VERSION: Final = 2
FIRST_VERSION: Final = 1  # of recipes that need nothing newer: programs that read no other can follow them
_FIRST_SETTINGS: Final = frozenset({"temperature", "top_k", "top_p", "min_p"})
_Seed = Annotated[int, Meta(ge=0)]
_Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class _SettingsFile(msgspec.Struct, forbid_unknown_fields=True):
    """`SamplingSettings` in JSON. None of those of the first version may be missing."""

    temperature: float
    top_k: int | None
    top_p: float | None
    min_p: float | None
    dry: float | None = None
    dry_length: int = DRY_LENGTH
    ban: str | None = None
    only: str | None = None
    pin: str | None = None


class _RecipeFile(msgspec.Struct, forbid_unknown_fields=True):
    """A recipe as it is in JSON: mappings are lists of pairs."""

    version: int
    checkpoint: str
    sha256: _Hash
    prime: str
    length: Count
    seeds: list[tuple[Count, _Seed]]
    settings: list[tuple[Count, _SettingsFile]]
    forced: list[tuple[Count, Annotated[str, Meta(min_length=1)]]]
    text_sha256: _Hash | None
    until: list[Annotated[str, Meta(min_length=1)]] = []
    lines: Annotated[int, Meta(ge=1)] | None = None


class RecipeError(ValueError):
    """Not a recipe, or not one that can be followed; the message is one line."""


@dataclass(frozen=True)
class Recipe:
    """checkpoint, sha256: the model's file and its hash. length: characters after the prime, the first at position 0.

    seeds, settings: by the position from which they hold, the first at 0. forced: symbols that a person chose, by
    position. text_sha256: of the characters after the prime in UTF-8, where they have been written already. stop: where
    the text ends before its length.
    """

    checkpoint: str
    sha256: str
    prime: str
    length: int
    seeds: Mapping[int, int]
    settings: Mapping[int, SamplingSettings]
    forced: Mapping[int, str]
    text_sha256: str | None = None
    stop: Stop = NEVER

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
            text.stop if text.stop != NEVER and text.stop.ends(text.text) else NEVER,
        )

    @classmethod
    def parse(cls, source: str) -> Self:
        """Read JSON. Raises RecipeError that names what is wrong."""
        try:
            return cls.from_json(read_json(source))
        except DecodingError as error:
            raise RecipeError(str(error)) from None

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """A recipe of JSON-native values. Raises RecipeError that names what is wrong."""
        if not isinstance(values, dict) or "version" not in values:
            raise RecipeError("is not a recipe (it has no version)")
        try:
            version = convert(values["version"], int)
            if not FIRST_VERSION <= version <= VERSION:
                raise RecipeError(f"is a recipe of version {version}, this program reads up to {VERSION}")
            read = convert(values, _RecipeFile)
            settings = [(position, SamplingSettings(*astuple(entry))) for position, entry in read.settings]
        except ValueError as error:
            raise RecipeError(str(error)) from None
        for name, pairs in (("seeds", read.seeds), ("settings", settings), ("forced", read.forced)):
            _check_positions(name, [position for position, _ in pairs], read.length)
        mappings = dict(read.seeds), dict(settings), dict(read.forced)
        stop = Stop(tuple(read.until), read.lines)
        return cls(read.checkpoint, read.sha256, read.prime, read.length, *mappings, read.text_sha256, stop)

    def as_json(self) -> dict[str, Any]:
        """JSON-native values, as `parse` reads them."""
        settings = {at: _settings_as_json(one) for at, one in self.settings.items()}
        newer_settings = any(values.keys() - _FIRST_SETTINGS for values in settings.values())
        newer: dict[str, Any] = {}
        if self.stop.until:
            newer["until"] = list(self.stop.until)
        if self.stop.lines is not None:
            newer["lines"] = self.stop.lines
        return {
            "version": VERSION if newer or newer_settings else FIRST_VERSION,
            "checkpoint": self.checkpoint,
            "sha256": self.sha256,
            "prime": self.prime,
            "length": self.length,
            "seeds": [[at, seed] for at, seed in self.seeds.items()],
            "settings": [[at, values] for at, values in settings.items()],
            "forced": [[at, symbol] for at, symbol in self.forced.items()],
            "text_sha256": self.text_sha256,
            **newer,
        }

    @property
    def name(self) -> str:
        """Eight hexadecimal digits that no other recipe has."""
        return text_hash(json.dumps(self.as_json(), sort_keys=True))[:8]

    def start(self, model: CharModel, vocabulary: Vocabulary) -> Sampler:
        """A sampler behind the prime. Raises RecipeError where the model lacks a character, or may write none."""
        strangers = {symbol for symbol in self.forced.values() if symbol not in vocabulary.index}
        unknown = [*vocabulary.unknown(self.prime), *sorted(strangers)]
        if unknown:
            raise RecipeError(f"the model does not know {', '.join(map(repr, unknown))}")
        try:
            for settings in self.settings.values():
                allowed_ids(vocabulary, settings.ban, settings.only)
                check_pins(settings.pins, model.n_layers, model.n_hidden)
        except ValueError as error:
            raise RecipeError(str(error)) from None
        return Sampler(model, vocabulary, self.settings[0], seed=self.seeds[0], prime=self.prime)


def follow(
    recipe: Recipe, sampler: Sampler, text: GeneratedText | None = None, ids: Sequence[int] | None = None
) -> Iterator[SampledCharacter]:
    """Write what a recipe says, character by character: the caller may stop between any two.

    sampler: from `Recipe.start`, or at the end of `text`, which was written as the recipe begins and is continued.
    ids: all characters of the text, where they are known: they are not drawn again, so that another processor's last
    bits cannot change them, and `text` gets exact states and distributions.
    """
    begun = "" if text is None else text.text
    watch = StopWatch(recipe.stop if ids is None else NEVER)
    if any(watch.ends_with(character) for character in begun):
        return
    for position in range(len(begun), recipe.length if ids is None else len(ids)):
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
            written = text.write(sampler, token_id, chosen=symbol is not None)
        else:
            written = next(sampler) if token_id is None else sampler.force(token_id)
        yield written
        if watch.ends_with(written.character):
            return


def _settings_as_json(settings: SamplingSettings) -> dict[str, Any]:
    """Those of the first version, and those of the second that are set."""
    unset = asdict(PLAIN)
    return {n: value for n, value in asdict(settings).items() if n in _FIRST_SETTINGS or value != unset[n]}


def text_hash(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _check_positions(name: str, positions: Sequence[int], length: int) -> None:
    """Raise RecipeError unless they rise and lie in the text; something must hold from its beginning."""
    if name != "forced" and positions[:1] != [0]:
        raise RecipeError(f"{name} has nothing for position 0")
    for before, position in pairwise((-1, *positions)):
        if not before < position < max(1, length):
            raise RecipeError(f"{name} has position {position}: out of order, or behind the length {length}")

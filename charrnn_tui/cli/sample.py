"""`charrnn-tui sample`: write text with a model to standard output."""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from charrnn_tui.checkpoint.checkpoint import Checkpoint, CheckpointError
from charrnn_tui.cli.configuration import configured
from charrnn_tui.cli.model_text import progress_bar
from charrnn_tui.cli.options import OrNone, TextFileName, encoding_option, json_option, model_names, runs_option
from charrnn_tui.cli.output import DataStream, say, utf8
from charrnn_tui.cli.tokens import tokens_option
from charrnn_tui.cli.unknown_characters import known_text, unknown_option
from charrnn_tui.native.cores import available_cores
from charrnn_tui.run.files import file_sha256
from charrnn_tui.run.quantities import LN2
from charrnn_tui.runner.facts import loss_facts, model_facts
from charrnn_tui.runner.find_model import default_model, locate_checkpoint, open_model
from charrnn_tui.sampling.adjusted_logits import BASE, check_characters
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.distribution import surprises_and_entropies
from charrnn_tui.sampling.many_texts import write_many
from charrnn_tui.sampling.pins import check_pins
from charrnn_tui.sampling.recipe import Recipe, RecipeError, follow, text_hash
from charrnn_tui.sampling.sampler import SampledCharacter, Sampler
from charrnn_tui.sampling.settings import DRY_LENGTH, SamplingSettings
from charrnn_tui.sampling.short_lines import USUAL_PRIME, usual_prime, writes_short_lines
from charrnn_tui.sampling.stops import Stop, check_stop
from charrnn_tui.text.byte_text import joined, joined_pieces
from charrnn_tui.text.corpus import read_text
from charrnn_tui.text.vocabulary import Vocabulary

PIECE = 64  # characters whose surprises are computed at once, and between two moves of the progress bar
SEPARATOR = "\n---\n"
TEXTS_PER_THREAD = 64  # written at once
LEAST_AT_ONCE = 6  # texts; fewer are written faster one after the other
MOST_CHARACTERS = 10_000_000  # of all texts written at once: 24 bytes each wait in memory until the first is shown


@click.command("sample")
@click.argument("checkpoint", metavar="[CHECKPOINT]", shell_complete=model_names, required=False)
@click.option(
    "--recipe",
    "recipe_file",
    type=TextFileName(),
    metavar="FILE",
    help="Write the text of this recipe again; - is standard input.",
)
@click.option(
    "--prime",
    metavar="TEXT",
    help="What the text begins with; nothing is read as a line break.  "
    f"[default: {USUAL_PRIME}, where known; nothing for a model of short lines]",
)
@click.option(
    "--prime-file", type=TextFileName(), metavar="FILE", help="Read the beginning from a file; - is standard input."
)
@click.option(
    "--length",
    type=click.IntRange(min=0),
    default=configured("sample.length"),
    show_default="1000",
    help="Characters to write.",
)
@click.option(
    "--temperature",
    type=float,
    default=configured("sample.temperature"),
    show_default="1.0",
    help="Below 1 favours likely characters, above 1 unlikely ones; 0 always takes the most likely one.",
)
@click.option(
    "--top-k",
    type=OrNone(click.INT),
    default=configured("sample.top_k"),
    help="Choose among the K most likely characters.  [default: off]",
)
@click.option(
    "--top-p",
    type=OrNone(click.FLOAT),
    default=configured("sample.top_p"),
    help="Choose among the fewest most likely characters whose probabilities add up to P.  [default: off]",
)
@click.option(
    "--min-p",
    type=OrNone(click.FLOAT),
    default=configured("sample.min_p"),
    help="Choose among characters with at least P times the largest probability.  [default: off]",
)
@click.option("--ban", metavar="CHARS", help="Never write one of these characters.")
@click.option("--only", metavar="CHARS", help="Write no other characters than these.")
@click.option(
    "--dry",
    type=OrNone(click.FLOAT),
    metavar="MULTIPLIER",
    help="Penalize repetition of what was written (DRY): a character that would make one longer loses MULTIPLIER × "
    f"{BASE}^(n - L) nats, n the characters repeated so far, L those of --dry-length; try 0.8.  [default: off]",
)
@click.option(
    "--dry-length",
    type=click.IntRange(min=1),
    default=DRY_LENGTH,
    show_default=True,
    help="Characters that may be repeated without a penalty.",
)
@click.option(
    "--pin",
    metavar="UNITS",
    help="Hold units at an activation while writing, such as 2.17=-1, or add to it, 2.17+=0.5: layer and unit, counted "
    "from 1, as charrnn-tui units names them; several with commas.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=configured("sample.seed"),
    help="The same seed writes the same text.  [default: at random]",
)
@click.option(
    "--count", type=click.IntRange(min=1), default=1, show_default=True, help="Number of texts; text i has seed S + i."
)
@click.option(
    "--until",
    multiple=True,
    metavar="TEXT",
    help="End behind the first occurrence of this text in what is written; may be given several times.",
)
@click.option("--lines", type=click.IntRange(min=1), help="End with this many complete lines.  [default: off]")
@tokens_option
@encoding_option
@unknown_option
@runs_option
@json_option("Write one JSON object per text, when it is done.")
def sample_command(
    checkpoint: str | None,
    recipe_file: str | None,
    prime: str | None,
    prime_file: str | None,
    length: int,
    seed: int | None,
    count: int,
    until: tuple[str, ...],
    lines: int | None,
    encoding: str | None,
    unknown: str,
    tokens: list[str] | None,
    runs_dir: Path,
    as_json: bool,
    **controls: Any,
) -> None:
    """Write text with a model: the prime, and what follows it.

    CHECKPOINT is a file (.safetensors or .net) or a run; without it, the model that the app would open. Controls act
    in the order ban, only and dry, temperature, top-k, top-p, min-p; `none` switches dry or one of the last three off.
    --length is the most that is written, where --until or --lines ends the text earlier. Several texts are separated by
    a line of three hyphens; with --lines 1 they are lines without anything between them. Several texts of a model that
    was trained on short lines, such as names, are one line each, unless --length, --until or --lines is given.
    A recipe sets all options itself; beside --recipe, name a CHECKPOINT only if the recipe's model was moved. Each
    object of --json holds the recipe of its text, and under `ended` why it ends: `length`, `until` or `lines`.
    """
    stream = DataStream()
    if recipe_file is not None:
        _refuse_options_beside_a_recipe()
        recipe, path, loaded, model = _read_recipe(recipe_file, checkpoint, tokens, runs_dir)
        texts: Iterable[tuple[Recipe, _Written | None]] = [(recipe, None)]
    else:
        settings = _settings(controls)
        prime = _prime(prime, prime_file, encoding)
        path = _default(runs_dir) if checkpoint is None else locate_checkpoint(checkpoint, runs_dir)
        loaded, model = open_model(path, tokens)
        short_lines = (prime is None or count > 1) and writes_short_lines(model, loaded.vocabulary, loaded.facts)
        known = _known(prime, loaded.vocabulary, unknown, usual_prime(loaded.vocabulary, short_lines))
        if short_lines and count > 1 and not (until or lines or _given("length")):
            lines = 1
        stop = _stop(until, lines, loaded.vocabulary)
        try:
            check_characters(settings, loaded.vocabulary)
            check_pins(settings.pins, model.n_layers, model.n_hidden)
        except ValueError as error:
            raise click.UsageError(f"--{error}") from None
        first_seed = secrets.randbelow(1 << 31) if seed is None else seed
        seeds, changes = {0: first_seed}, {0: settings}
        recipe = Recipe(str(path.resolve()), file_sha256(path), known, length, seeds, changes, {}, stop=stop)
        texts = _with_seeds(model, loaded.vocabulary, recipe, count)
        if stream.terminal and not as_json:
            say(f"seed {first_seed}")
    model.wait_for_compiled_code()
    with progress_bar(recipe.length * count, "writing", hidden=not stream.file) as bar:
        for number, (one, written) in enumerate(texts):
            if as_json:
                written = written or _write(model, loaded.vocabulary, one, bar.update)
                stream.write_json(_as_json(one, written, loaded, path))
                text = written.text
            else:
                line_each = one.stop.lines == 1
                stream.write_text(SEPARATOR if number and not line_each else "")
                characters = written.text if written else _characters(model, loaded.vocabulary, one)
                text = _show(stream, one.prime, characters, bar.update, with_line_end=line_each)
            bar.update((number + 1) * one.length - bar.pos)  # a text may have ended before its length
            if one.text_sha256 not in (None, text_hash(text)):
                say("the text differs from the recipe's: this machine's arithmetic rounds differently")


def _prime(prime: str | None, prime_file: str | None, encoding: str | None) -> str | None:
    """The beginning that was asked for; None if none was."""
    if prime is not None and prime_file is not None:
        raise click.UsageError("--prime and --prime-file exclude each other")
    if prime_file is not None:
        return read_text(prime_file, encoding or "utf-8")
    if encoding is not None:
        raise click.UsageError("--encoding is that of a --prime-file; name one")
    return None if prime is None else prime.replace("\r\n", "\n").replace("\r", "\n")  # as in a file


def _default(runs: Path) -> Path:
    """The model that the app would open; its path is printed."""
    path, _ = default_model(runs)
    if path is None:
        raise click.UsageError("Missing argument 'CHECKPOINT'")
    say(f"model: {path}")
    return path


@dataclass(frozen=True)
class _Written:
    """A text without its prime, the sum of the surprises of its characters, and how long writing it took."""

    text: str
    bits: float
    seconds: float


def _with_seeds(
    model: CharModel, vocabulary: Vocabulary, recipe: Recipe, count: int
) -> Iterator[tuple[Recipe, _Written | None]]:
    """The recipe once for each seed; together with its text if many texts are written at once."""
    first, threads = recipe.seeds[0], available_cores()
    at_once = max(1, min(TEXTS_PER_THREAD * threads, MOST_CHARACTERS // max(1, recipe.length)))
    for begin in range(0, count, at_once):
        seeds = range(first + begin, first + min(count, begin + at_once))
        recipes = [replace(recipe, seeds={0: seed}) for seed in seeds]
        if len(seeds) < LEAST_AT_ONCE or not model.runs_compiled or recipe.settings[0].pins:
            yield from ((one, None) for one in recipes)
            continue
        started = time.perf_counter()
        texts = write_many(recipe.start(model, vocabulary), seeds, recipe.length, threads, recipe.stop)
        seconds = (time.perf_counter() - started) / len(seeds)
        for one, text in zip(recipes, texts, strict=True):
            yield one, _Written("".join(vocabulary.decode(text.ids)), text.bits, seconds)


def _characters(model: CharModel, vocabulary: Vocabulary, recipe: Recipe) -> Iterator[str]:
    """The characters after the prime, as they come."""
    return (sampled.character for sampled in follow(recipe, recipe.start(model, vocabulary)))


def _write(model: CharModel, vocabulary: Vocabulary, recipe: Recipe, done: Callable[[int], object]) -> _Written:
    """Write the text and measure its surprise; the time is without that for reading the prime.

    done: called with the number of characters of each piece that is written.
    """
    sampler = recipe.start(model, vocabulary)
    following = _with_logits(recipe, sampler)
    started, text, bits = time.perf_counter(), "", 0.0
    while piece := list(islice(following, PIECE)):
        text += "".join(sampled.character for sampled, _ in piece)
        ids, logits = np.array([sampled.token_id for sampled, _ in piece]), np.stack([row for _, row in piece])
        bits += float(surprises_and_entropies(logits, ids)[0].sum())
        done(len(piece))
    return _Written(text, bits, time.perf_counter() - started)


def _with_logits(recipe: Recipe, sampler: Sampler) -> Iterator[tuple[SampledCharacter, NDArray[np.float32]]]:
    """Each character with the logits (V,) that it was drawn from."""
    logits = sampler.logits
    for sampled in follow(recipe, sampler):
        yield sampled, logits
        logits = sampler.logits


def _show(
    stream: DataStream, prime: str, characters: Iterable[str], done: Callable[[int], object], *, with_line_end: bool
) -> str:
    """Write the prime, then the characters as they come; returns the characters.

    done: called with PIECE after each PIECE characters.
    with_line_end: end the last line also where the text does not; on a terminal it always is.
    """
    text = []

    def noted() -> Iterator[str]:
        for character in characters:
            yield character
            text.append(character)
            if len(text) % PIECE == 0:
                done(PIECE)

    written = chain([prime], noted())
    for piece in joined_pieces(written) if stream.terminal else written:  # a terminal shows no part of a character
        stream.write_text(piece)
    if (with_line_end or stream.terminal) and [prime, *text][-1][-1:] != "\n":
        stream.write_text("\n")
    stream.flush()
    return "".join(text)


def _refuse_options_beside_a_recipe() -> None:
    for option in click.get_current_context().command.params:
        name = option.name or ""
        if _given(name) and name not in ("checkpoint", "recipe_file", "tokens", "runs_dir", "as_json"):
            raise click.UsageError(f"--{name.replace('_', '-')} and --recipe exclude each other")


def _read_recipe(
    file: str, checkpoint: str | None, tokens: list[str] | None, runs: Path
) -> tuple[Recipe, Path, Checkpoint, CharModel]:
    """A recipe and its model; checkpoint: names the model, if it is not where the recipe says."""
    try:
        recipe = Recipe.parse(read_text(file))
        path = _model_of(recipe, runs) if checkpoint is None else locate_checkpoint(checkpoint, runs)
        if (found := file_sha256(path)) != recipe.sha256:
            raise CheckpointError(
                f"{path}: is not the recipe's model: SHA-256 {found[:12]}…, not {recipe.sha256[:12]}…"
            )
        loaded, model = open_model(path, tokens)
        recipe.start(model, loaded.vocabulary)
    except RecipeError as error:
        raise click.ClickException(f"{file}: {error}") from None
    return recipe, path, loaded, model


def _model_of(recipe: Recipe, runs: Path) -> Path:
    try:
        return locate_checkpoint(recipe.checkpoint, runs)
    except CheckpointError as error:
        raise CheckpointError(
            f"{error}; if the recipe's model has moved, name it: sample CHECKPOINT --recipe …"
        ) from None


def _as_json(recipe: Recipe, written: _Written, checkpoint: Checkpoint, path: Path) -> dict[str, Any]:
    chars = len(written.text)
    return {
        "prime": joined(recipe.prime),
        "text": joined(written.text),
        "seed": recipe.seeds[0],
        "chars": chars,
        "ended": recipe.stop.end_of(written.text),
        "chars_per_second": round(chars / written.seconds, 1) if chars else None,
        **(loss_facts(written.bits * LN2 / chars, len(utf8(written.text)) / chars) if chars else loss_facts(None)),
        **asdict(recipe.settings[0]),
        "checkpoint": str(path),
        "run": checkpoint.facts.get("run"),
        **model_facts(checkpoint),
        "recipe": replace(recipe, text_sha256=text_hash(written.text)).as_json(),
    }


def _settings(controls: dict[str, Any]) -> SamplingSettings:
    try:
        return SamplingSettings(**controls)
    except ValueError as error:
        name, _, rest = str(error).partition(" ")
        raise click.UsageError(f"--{name.replace('_', '-')} {rest}") from None


def _stop(until: tuple[str, ...], lines: int | None, vocabulary: Vocabulary) -> Stop:
    """Where the text ends before its length. Raises UsageError for what the model can never write."""
    try:
        stop = Stop(until, lines)
        check_stop(stop, vocabulary)
    except ValueError as error:
        raise click.UsageError(f"--{error}") from None
    return stop.for_alphabet(vocabulary)


def _given(option: str) -> bool:
    """Whether an option stands on the command line."""
    return click.get_current_context().get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE


def _known(prime: str | None, vocabulary: Vocabulary, unknown: str, usual: str) -> str:
    """The prime in characters of the model; without one, the usual one."""
    if prime is not None:
        return known_text(prime, vocabulary, unknown, "the prime", click.UsageError)
    return usual

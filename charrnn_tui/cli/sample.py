"""`charrnn-tui sample`: text out of a model, to standard output."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import click

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.cli.opening import locate_checkpoint, open_model
from charrnn_tui.cli.options import json_option, runs_option, unknown_option
from charrnn_tui.cli.output import DataStream, say
from charrnn_tui.cli.quality import model_facts, quality
from charrnn_tui.sampling.distribution import SamplingSettings
from charrnn_tui.sampling.lstm import CharLSTM
from charrnn_tui.sampling.sampler import SampledCharacter, Sampler
from charrnn_tui.text.corpus import read_text
from charrnn_tui.text.vocabulary import UnknownCharacters, Vocabulary

USUAL_PRIME = "The"  # the notebook's
SEPARATOR = "\n---\n"


@click.command("sample")
@click.argument("checkpoint", metavar="CHECKPOINT")
@click.option("--prime", metavar="TEXT", help=f"What the text begins with.  [default: {USUAL_PRIME}, where known]")
@click.option("--prime-file", metavar="FILE", help="Read the beginning from a UTF-8 file.")
@click.option("--length", type=click.IntRange(min=0), default=1000, show_default=True, help="Characters to write.")
@click.option("--temperature", type=float, default=1.0, show_default=True, help="0 takes the likeliest, always.")
@click.option("--top-k", type=int, help="Choose among the K likeliest.  [default: off]")
@click.option("--top-p", type=float, help="Choose among the likeliest that make up P.  [default: off]")
@click.option("--min-p", type=float, help="Choose among those with P times the largest probability.  [default: off]")
@click.option("--seed", type=click.IntRange(min=0), help="The same seed writes the same text.  [default: at random]")
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True, help="Texts; text i has seed S + i.")
@unknown_option
@runs_option
@json_option("Write one JSON object per text, when it is done.")
def sample_command(
    checkpoint: str,
    prime: str | None,
    prime_file: str | None,
    length: int,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    min_p: float | None,
    seed: int | None,
    count: int,
    unknown: str,
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Write text with a model: the prime, and what follows it.

    CHECKPOINT is a file (.safetensors or .net) or a run. Controls act in the order temperature, top-k, top-p, min-p.
    Several texts stand apart by a line of three hyphens.
    """
    settings = _settings(temperature, top_k, top_p, min_p)
    if prime is not None and prime_file is not None:
        raise click.UsageError("--prime and --prime-file exclude each other")
    if prime_file is not None:
        prime = read_text(prime_file)
    path = locate_checkpoint(checkpoint, runs_dir)
    loaded, model = open_model(path)
    first_seed = secrets.randbelow(1 << 31) if seed is None else seed
    known = _known(_usual(loaded.vocabulary) if prime is None else prime, loaded.vocabulary, unknown == "skip")
    stream = DataStream()
    if stream.terminal and not as_json:
        say(f"seed {first_seed}")
    for number in range(count):
        writing = _Writing(model, loaded.vocabulary, settings, known, length, first_seed + number)
        if as_json:
            writing.finish()
            stream.write_json(_as_json(writing, settings, loaded, path))
        else:
            if number:
                stream.write(SEPARATOR)
            _stream_text(stream, writing)


@dataclass
class _Writing:
    """One text: what has been written, what the model thought of it, and how long it took."""

    model: CharLSTM
    vocabulary: Vocabulary
    settings: SamplingSettings
    prime: str
    length: int
    seed: int
    characters: list[str] = field(default_factory=list)
    bits: float = 0.0
    seconds: float = 0.0

    def stream(self) -> Iterator[str]:
        """The characters after the prime, as they come; only their making is on the clock."""
        started = time.perf_counter()
        sampler = Sampler(self.model, self.vocabulary, self.settings, seed=self.seed, prime=self.prime)
        started = time.perf_counter()  # reading the prime is not writing
        for sampled in islice(sampler, self.length):
            self._keep(sampled)
            self.seconds += time.perf_counter() - started
            yield sampled.character
            started = time.perf_counter()

    def finish(self) -> None:
        """Write to the end, with nobody looking."""
        for _ in self.stream():
            pass

    def _keep(self, sampled: SampledCharacter) -> None:
        self.characters.append(sampled.character)
        self.bits += sampled.surprise_bits


def _stream_text(stream: DataStream, writing: _Writing) -> None:
    if not stream.terminal:
        stream.write(writing.prime)
        for character in writing.stream():
            stream.write(character)
        stream.flush()
        return
    from charrnn_tui.cli.terminal_text import for_terminal  # builds on Rich's table of widths; a pipe needs none

    stream.write(for_terminal(writing.prime))
    for character in writing.stream():
        stream.write(for_terminal(character))
    stream.write("\n")


def _as_json(writing: _Writing, settings: SamplingSettings, checkpoint: Checkpoint, path: Path) -> dict[str, Any]:
    chars = len(writing.characters)
    return {
        "prime": writing.prime,
        "text": "".join(writing.characters),
        "seed": writing.seed,
        "chars": chars,
        "chars_per_second": round(chars / writing.seconds, 1) if writing.seconds else None,
        **quality(writing.bits, chars),
        **asdict(settings),
        "checkpoint": str(path),
        "run": checkpoint.facts.get("run"),
        **model_facts(checkpoint),
    }


def _settings(temperature: float, top_k: int | None, top_p: float | None, min_p: float | None) -> SamplingSettings:
    try:
        return SamplingSettings(temperature, top_k, top_p, min_p)
    except ValueError as error:
        name, _, rest = str(error).partition(" ")
        raise click.UsageError(f"--{name.replace('_', '-')} {rest}") from None


def _usual(vocabulary: Vocabulary) -> str:
    return "" if vocabulary.unknown(USUAL_PRIME) else USUAL_PRIME


def _known(prime: str, vocabulary: Vocabulary, skip: bool) -> str:
    """The prime without what the model does not know, which is named; refused unless that is to be skipped."""
    strangers = vocabulary.unknown(prime)
    if not strangers:
        return prime
    error = UnknownCharacters(strangers)
    if not skip:
        raise click.UsageError(f"the prime has characters {error}; leave them out with --unknown skip")
    say(f"left out of the prime: {error}")
    return "".join(char for char in prime if char not in strangers)

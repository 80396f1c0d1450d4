"""`charrnn-tui copied`: how much of what a model writes stands word for word in its training text."""

from itertools import islice
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from charrnn_tui.analysis.copied import LENGTHS, Passage, covered, new_words, passages
from charrnn_tui.analysis.text_index import BLOCK, index_text
from charrnn_tui.checkpoint.checkpoint import CheckpointError
from charrnn_tui.cli.model_text import progress_bar
from charrnn_tui.cli.options import TextFileName, encoding_option, json_option, model_names, runs_option
from charrnn_tui.cli.output import DataStream, excerpt, say
from charrnn_tui.playground.models import LoadedModel, prepare_model, source_of
from charrnn_tui.playground.training_text import held_out_share, training_text
from charrnn_tui.runner.facts import model_facts
from charrnn_tui.runner.find_model import locate_checkpoint
from charrnn_tui.runner.local_backend import LocalBackend
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.array_cache import TEXTS
from charrnn_tui.text.byte_text import BYTES
from charrnn_tui.text.corpus import Corpus, load_corpus, read_as_trained, read_text

LISTED = 5  # passages
LEAST_LISTED = 24  # characters of a passage that is listed
MOST_SHOWN = 60  # characters of one, on a line
PIECE = 500  # characters that are written between two moves of the progress bar


@click.command("copied")
@click.argument("checkpoint", metavar="CHECKPOINT", shell_complete=model_names)
@click.option("--text", "text_file", type=TextFileName(), metavar="FILE", help="Examine this text, not a new one.")
@click.option(
    "--training",
    type=TextFileName(),
    metavar="FILE",
    help="The text that the model was trained on.  [default: as the model or its run says]",
)
@click.option(
    "--length", type=click.IntRange(min=1), default=20_000, show_default=True, help="Characters to write and examine."
)
@click.option("--temperature", type=click.FloatRange(min=0), default=0.8, show_default=True, help="Of this writing.")
@click.option("--top-k", type=click.IntRange(min=1), help="Of this writing.  [default: off]")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of this writing.")
@encoding_option
@runs_option
@json_option("Write one JSON object.")
def copied_command(
    checkpoint: str,
    text_file: str | None,
    training: str | None,
    length: int,
    temperature: float,
    top_k: int | None,
    seed: int,
    encoding: str | None,
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Show how much of what a model writes stands word for word in the text that it was trained on.

    For each length: the share of the characters that are in a passage of at least so many characters which the training
    part has, too; beside it the same for the part that was held out of the training, since people repeat each other
    as well. Then the longest passages with their places, and how many words occur nowhere in the training part.
    """
    backend = LocalBackend(runs_dir)
    path = locate_checkpoint(checkpoint, runs_dir)
    opened = backend.open_checkpoint(path)
    model = prepare_model(source_of(path, backend), opened)
    corpus = _training(model, backend, training, encoding)
    trained, held_out = corpus.split(held_out_share(model))
    if text_file is not None:
        text = read_text(text_file, _encoding(model, encoding))
    else:
        text = _written(model, length, SamplingSettings(temperature, top_k), seed)
    written = corpus.vocabulary.encode_marked(text)  # the text may have characters that the training text has not
    index = index_text(trained, runs_dir / TEXTS)
    with progress_bar(len(written) + len(held_out), "comparing") as bar:
        matches = [index.longest_match(ids, check=lambda: bar.update(BLOCK)) for ids in (written, held_out)]
    shares = {k: [_share(covered(lengths, k)) for lengths, _ in matches] for k in LENGTHS}
    rows = [{"length": k, "share": share, "held_out_share": usual} for k, (share, usual) in shares.items()]
    found = passages(written, trained, matches[0], LEAST_LISTED)
    new_share, words = new_words(text, corpus.vocabulary.decode(trained))
    listed = [_passage(passage, text) for passage in found[:LISTED]]
    stream = DataStream()
    if as_json:
        facts = {"checkpoint": str(path), "chars": len(text), "seed": seed if text_file is None else None}
        words_found = {"new_words_share": new_share, "new_words": words}
        copies = {"lengths": rows, "passages": listed} | words_found
        stream.write_json(facts | copies | model_facts(opened))
        return
    stream.write_line("passages of  written  held out")
    for row in rows:
        share, usual = ("–" if row[name] is None else f"{row[name]:.1%}" for name in ("share", "held_out_share"))
        stream.write_line(f"{row['length']:>6} chars  {share:>7}  {usual:>8}")
    for each in listed:
        stream.write_line(f"{len(each['text'])} chars from {each['source']:,}: {excerpt(each['text'], MOST_SHOWN)}")
    examples = f", such as {', '.join(words[:5])}" if words else ""
    stream.write_line(f"{new_share:.1%} of the words occur nowhere in the training part{examples}")
    say(f"{len(text):,} characters " + (f"of {text_file}" if text_file else f"written with seed {seed}"))


def _training(model: LoadedModel, backend: LocalBackend, training: str | None, encoding: str | None) -> Corpus:
    """The text that the model was trained on. Raises CheckpointError where it is not found."""
    cache = backend.runs_directory / TEXTS
    if training is not None:
        _, settings = read_as_trained(training, _encoding(model, encoding), model.facts)
        return load_corpus([training], settings, cache)
    try:
        text = training_text(model, backend)
    except ValueError as error:
        raise CheckpointError(f"{str(error).partition(':')[0]}: name its text with --training FILE") from None
    return load_corpus(text.files, text.settings, cache)


def _encoding(model: LoadedModel, given: str | None) -> str:
    return given or (BYTES if model.vocabulary.of_bytes else "utf-8")


def _share(characters: NDArray[np.bool_]) -> float | None:
    return float(characters.mean()) if len(characters) else None


def _written(model: LoadedModel, length: int, settings: SamplingSettings, seed: int) -> str:
    model.network.wait_for_compiled_code()
    sampler = Sampler(model.network, model.vocabulary, settings, seed=seed, prime=model.suggested_prime)
    with progress_bar(length, "writing") as bar:
        text = ""
        while piece := "".join(written.character for written in islice(sampler, min(PIECE, length - len(text)))):
            text += piece
            bar.update(len(piece))
    return text


def _passage(passage: Passage, text: str) -> dict[str, Any]:
    return {"begin": passage.begin, "source": passage.source, "text": text[passage.begin : passage.end]}

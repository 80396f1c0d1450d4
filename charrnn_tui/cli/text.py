"""`charrnn-tui text`: what a text is made of, before a model is trained on it."""

import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from charrnn_tui.analysis.copied import Passage, covered, passages, repeats
from charrnn_tui.analysis.text_index import BLOCK, TextIndex, index_text
from charrnn_tui.cli.facts import loss_text
from charrnn_tui.cli.model_text import progress_bar
from charrnn_tui.cli.ngrams import count_ngrams, ngrams_option
from charrnn_tui.cli.options import (
    TextFileName,
    bytes_option,
    encoding_option,
    json_option,
    named_files,
    runs_option,
    unreadable_option,
)
from charrnn_tui.cli.output import DataStream, Row, excerpt, write_facts
from charrnn_tui.run.fitting import fit_to_text
from charrnn_tui.run.quantities import bits_per_byte
from charrnn_tui.run.settings import DEFAULT_PRESET, option, settings_for
from charrnn_tui.text.array_cache import TEXTS
from charrnn_tui.text.boilerplate import find_boilerplate
from charrnn_tui.text.byte_text import BYTES
from charrnn_tui.text.corpus import Corpus, load_corpus
from charrnn_tui.text.lines import median_line_length
from charrnn_tui.text.long_text import character_counts
from charrnn_tui.text.text_names import Unreadable
from charrnn_tui.text.text_settings import TextSettings
from charrnn_tui.text.vocabulary import Ids

RARE = 10  # occurrences: a model learns little about a character that it sees less often
REPEATED = 100  # characters of a passage that stands in the text more than once, or in both of its parts
MOST_SEARCHED = 100_000_000  # characters, whose index takes up to 1 GB and two minutes
LONGEST_LISTED = 5  # passages
LISTED = 40  # characters of the alphabet on a line
SHOWN = 60  # characters of a passage on a line
SIZE = ("n_layers", "n_hidden", "drop_prob", "epochs", "batch_size", "seq_length", "lr")


@click.command("text")
@click.argument("files", metavar="FILE...", type=TextFileName(), nargs=-1, required=True)
@click.option("--val-frac", type=click.FloatRange(0, 0.9), default=0.1, show_default=True, help="Share held out.")
@ngrams_option("Also the losses of n-gram models up to this order, which only count: a model should beat them.")
@encoding_option
@bytes_option
@click.option(
    "--skip-head", type=click.IntRange(min=0), metavar="N", help="Leave out so many characters at its beginning."
)
@click.option("--skip-tail", type=click.IntRange(min=0), metavar="N", help="Leave out so many characters at its end.")
@unreadable_option
@runs_option
@json_option("Write one JSON object.")
def text_command(
    files: tuple[str, ...],
    val_frac: float,
    ngrams: int | None,
    encoding: str | None,
    skip_head: int | None,
    skip_tail: int | None,
    unreadable: Unreadable,
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Describe a text before a model is trained on it: its alphabet, lines, repetitions, and settings that suit it.

    A passage that stands in both the training and the held-out part makes the validation loss look too low; a
    character that occurs a few times only makes the alphabet larger and is not learned.
    """
    cache, names = runs_dir / TEXTS, files
    files = named_files(names, encoding, unreadable)
    settings = TextSettings(encoding or "utf-8", skip_head or 0, skip_tail or 0)
    corpus = load_corpus(files, settings, cache)
    train, held_out = corpus.split(val_frac)
    tokens = len(corpus.vocabulary)
    counts = character_counts(corpus.ids, tokens)
    fitted = fit_to_text(settings_for(DEFAULT_PRESET, val_frac=val_frac), len(corpus))
    searched = len(corpus) <= MOST_SEARCHED
    shared, repeated = _repeated(corpus, index_text(train, cache), held_out) if searched else (None, None)
    values: dict[str, Any] = {
        "file": list(names),
        "files": len(files),
        "encoding": settings.encoding,
        **settings.changes,
        "chars": len(corpus),
        "tokens": tokens,
        "bytes_per_char": int(counts @ corpus.vocabulary.byte_lengths) / len(corpus),
        "uniform_loss": math.log(tokens) if tokens else None,
        "characters": {
            corpus.vocabulary.tokens[token]: int(counts[token])
            for token in np.argsort(-counts, kind="stable")
            if counts[token]
        },
        "rare": [corpus.vocabulary.tokens[token] for token in np.flatnonzero((counts > 0) & (counts < RARE))],
        "lines": int(counts[corpus.vocabulary.index["\n"]]) if "\n" in corpus.vocabulary.index else 0,
        "median_line_length": median_line_length(corpus.ids, corpus.vocabulary),
        "held_out_chars": len(held_out),
        "shared_with_training": shared,
        "repeated": repeated,
        "boilerplate": _boilerplate(corpus, names, settings),
        "suggested": {"preset": DEFAULT_PRESET} | {name: getattr(fitted, name) for name in SIZE},
    }
    if ngrams is not None:
        values["ngrams"] = count_ngrams(train, held_out, corpus.vocabulary, ngrams, files[0])
    write_facts(values, _rows, as_json)
    if not as_json:
        _write_ngrams(values.get("ngrams", []))


def _repeated(corpus: Corpus, training: TextIndex, held_out: Ids) -> tuple[float | None, list[dict[str, Any]]]:
    """How much of the held-out part the training part has, and the longest passages that it has before."""
    begin = len(training.ids)  # of the held-out part
    with progress_bar(len(corpus), "comparing") as bar:

        def check() -> None:
            bar.update(BLOCK)

        found = repeats(training, REPEATED, check)
        matches = training.longest_match(held_out, check=check)
    share = covered(matches[0], REPEATED)
    found += [
        Passage(begin + each.begin, begin + each.end, each.source)
        for each in passages(held_out, training.ids, matches, REPEATED)
    ]
    longest = sorted(found, key=lambda each: each.begin - each.end)[:LONGEST_LISTED]
    decode, ids = corpus.vocabulary.decode, corpus.ids
    listed = [
        {"position": each.begin, "earlier": each.source, "text": decode(ids[each.begin : each.end])} for each in longest
    ]
    return (float(share.mean()) if len(share) else None), listed


def _boilerplate(corpus: Corpus, files: Sequence[str], settings: TextSettings) -> dict[str, Any] | None:
    """What looks like a licence at the ends of the text, and the command that trains without it."""
    found = find_boilerplate(corpus)
    if not found:
        return None
    skipped = {"skip_head": settings.skip_head + found.head, "skip_tail": settings.skip_tail + found.tail}
    options = [str(word) for name, count in skipped.items() if count for word in (option(name), count)]
    words = [*files, *options] if settings.encoding == "utf-8" else [*files, "--encoding", settings.encoding, *options]
    return {
        "head": found.head,
        "tail": found.tail,
        "begins": found.begins,
        "ends": found.ends,
        "command": f"charrnn-tui train {shlex.join(words)}",
    }


def _rows(values: dict[str, Any]) -> list[Row]:
    alphabet = [_named(char) for char in values["characters"]]
    more = f" and {len(alphabet) - LISTED:,} more" if len(alphabet) > LISTED else ""
    rare = [_named(char) for char in values["rare"]]
    of_bytes = values["encoding"] == BYTES
    way = f"; train --min-count {RARE} makes them one character" if len(rare) > 1 and not of_bytes else ""
    suggested = ", ".join(f"{name} {value}" for name, value in values["suggested"].items())
    lines = f"{values['lines']:,} line feeds"
    if values["median_line_length"] is not None:
        lines += f"; lines of {values['median_line_length']:,} characters (the median of those that are not empty)"
    each = f"{values['bytes_per_char']:.3g}"
    rows = [
        (
            "characters",
            (f"{values['chars']:,} bytes; " if of_bytes else f"{values['chars']:,}, {each} bytes each in UTF-8; ")
            + f"{values['held_out_chars']:,} of them held out for validation",
        ),
        ("alphabet", f"{values['tokens']:,}, the most frequent first: {' '.join(alphabet[:LISTED])}{more}"),
        ("rare", f"{len(rare):,} occur less than {RARE} times: {' '.join(rare[:LISTED])}{way}" if rare else "none"),
        ("lines", lines),
    ]
    if values["shared_with_training"] is not None:
        share = f"{values['shared_with_training']:.1%} of the held-out part is in passages of {REPEATED} characters"
        rows.append(("shared", f"{share} and more that the training part has, too"))
    if values["repeated"] is None:
        rows.append(("repeated", f"not searched for in a text of more than {MOST_SEARCHED:,} characters"))
    for each in values["repeated"] or []:
        places = f"{len(each['text']):,} characters at {each['earlier']:,} and {each['position']:,}"
        rows.append(("repeated", f"{places}: {excerpt(each['text'], SHOWN)}"))
    if (ends := values["boilerplate"]) is not None:
        looks = TextSettings(skip_head=ends["head"], skip_tail=ends["tail"]).said.removeprefix("without ")
        rows.append(("licence", f"{looks} look like a licence; to leave them out: {ends['command']}"))
    uniform = loss_text(values["uniform_loss"], bits_per_byte(values["uniform_loss"], values["bytes_per_char"]))
    rows.append(("uniform", f"{uniform} if every character is equally likely"))
    return [*rows, ("suggested", suggested)]


def _named(char: str) -> str:
    return "␣" if char == " " else repr(char)[1:-1].replace("\\udc", "\\x")  # U+DC80 stands for a byte


def _write_ngrams(losses: list[dict[str, Any]]) -> None:
    stream = DataStream()
    best = min((each["loss"] for each in losses), default=0.0)
    for each in losses:
        mark = "  the lowest" if each["loss"] == best else ""
        stream.write_line(f"{each['n']:>2}-gram     {loss_text(each['loss'], each['bits_per_byte'])}{mark}")

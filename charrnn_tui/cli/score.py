"""`charrnn-tui score`: how well a model predicts a text."""

import math
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.cli.facts import loss_text
from charrnn_tui.cli.model_text import progress_bar
from charrnn_tui.cli.ngrams import count_ngrams, ngrams_option
from charrnn_tui.cli.options import FiniteFloat, TextFileName, encoding_option, json_option, model_names, runs_option
from charrnn_tui.cli.output import DataStream, Row, say, to_json_text, write_facts
from charrnn_tui.cli.tokens import tokens_option
from charrnn_tui.cli.unknown_characters import known_text, unknown_option
from charrnn_tui.run.quantities import duration
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.runner.facts import loss_facts, model_facts
from charrnn_tui.runner.find_model import locate_checkpoint, open_model
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.scoring import DynamicSettings, batch_losses, sequence_losses
from charrnn_tui.text.batches import TextTooShort, batch_count, split_at
from charrnn_tui.text.corpus import read_as_trained
from charrnn_tui.text.long_text import bytes_per_char
from charrnn_tui.text.text_settings import TextSettings
from charrnn_tui.text.vocabulary import Ids

_GEOMETRY = ("val_frac", "batch_size", "seq_length")
# The notebook's, for a model that does not record its own; `val_chars` is that of a training.
_NOTEBOOK = {name: getattr(TrainSettings(), name) for name in (*_GEOMETRY, "val_chars")}


@click.command("score")
@click.argument("checkpoint", metavar="CHECKPOINT", shell_complete=model_names)
@click.argument("file", metavar="FILE", type=TextFileName())
@click.option(
    "--part",
    type=click.Choice(["val", "train", "all"]),
    help="Score this part in batches, as a validation does.  [default: the whole text in one pass]",
)
@click.option(
    "--val-frac",
    type=FiniteFloat(),
    help="Share of the text, at its end, that is `val`.  [default: as trained, or 0.1]",
)
@click.option(
    "--val-chars",
    type=click.IntRange(min=1),
    help="Most characters of `val` to read, from the start of each row.  [default: as trained, or 1000000]",
)
@click.option(
    "--batch-size", type=click.IntRange(min=1), help="Rows in a batch of --part.  [default: as trained, or 128]"
)
@click.option(
    "--seq-length",
    type=click.IntRange(min=1),
    help="Characters of a row in a batch of --part.  [default: as trained, or 100]",
)
@click.option(
    "--dynamic",
    is_flag=True,
    help="Also compute the loss of a model that learns while it reads the text, in one pass: after every --seq-length "
    "characters (50), once they are scored, the weights take a gradient step. The checkpoint does not change.",
)
@click.option("--lr", type=FiniteFloat(), help=f"Learning rate of --dynamic.  [default: {DynamicSettings().lr}]")
@ngrams_option(
    "With --part val, also the losses there of n-gram models up to this order, which count the training part: a model "
    "should beat them."
)
@tokens_option
@encoding_option
@unknown_option
@click.option(
    "--per-char",
    is_flag=True,
    help="Also write the loss of each character: a line of the character as a JSON string, a tab, nats; with --json, "
    "`per_char`, an array of [character, nats]. Nothing predicts the first character, so it has none.",
)
@runs_option
@json_option("Write one JSON object.")
def score_command(
    checkpoint: str,
    file: str,
    part: str | None,
    dynamic: bool,
    lr: float | None,
    ngrams: int | None,
    encoding: str | None,
    unknown: str,
    tokens: list[str] | None,
    per_char: bool,
    runs_dir: Path,
    as_json: bool,
    **given: Any,
) -> None:
    """Compute how well a model predicts a text: nats and bits per character, bits per byte of the text in UTF-8, which
    compares models of other alphabets, and perplexity. FILE - is standard input.

    The loss depends on where the hidden state is zero, so `--part val` reads the text exactly as the validation of the
    model's training does, in batches of the same size, or of the notebook's for a model that does not record its own.
    Without --part the text is read once from its beginning, one character after another; --part all reads the rows of a
    batch side by side. --dynamic always reads in one pass, the whole text or a part.
    """
    _check_usage(part, given, per_char, dynamic, lr)
    if ngrams is not None and part != "val":
        raise click.UsageError("--ngrams needs a part that the n-grams have not counted; add --part val")
    path = locate_checkpoint(checkpoint, runs_dir)
    loaded, model = open_model(path, tokens)
    if dynamic and loaded.cell != "lstm":
        raise click.ClickException(f"{path}: --dynamic trains an LSTM; this model is a {loaded.cell.upper()}")
    trained = loaded.facts.get("settings") or {}
    geometry = given if part is None else _NOTEBOOK | _known(trained) | _known(given)
    settings = DynamicSettings(given["seq_length"] or DynamicSettings().seq_length, lr or DynamicSettings().lr)
    if dynamic:
        geometry |= {"batch_size": 1, "seq_length": settings.seq_length}
    text, whole = read_as_trained(file, loaded.text_encoding(encoding), loaded.facts)
    ids = loaded.vocabulary.encode(known_text(text, loaded.vocabulary, unknown, f"{file}:", click.ClickException))
    model.wait_for_compiled_code()
    started = time.perf_counter()
    losses: NDArray[np.float64] | None = None
    piece = ids if part is None else _part(ids, part, geometry["val_frac"])
    most = geometry["val_chars"] if part == "val" else len(piece)
    try:
        if part is not None and not dynamic:
            loss, chars = _in_batches(model, piece, geometry["batch_size"], geometry["seq_length"], most)
        else:
            piece = piece[: most + 1]
            losses = _in_one_pass(sequence_losses(model, piece), piece)
            loss, chars = float(losses.mean()), len(losses)
        if dynamic:
            losses = _dynamically(loaded, model, piece, settings)
    except TextTooShort as error:
        raise click.ClickException(f"{file}: {error}") from None
    seconds = time.perf_counter() - started
    of_text = bytes_per_char(piece[1:], loaded.vocabulary)
    dynamic_values: dict[str, Any] = {}
    if dynamic and losses is not None:
        dynamic_values = _dynamic_facts(float(losses.mean()), loss, of_text, settings)
    values: dict[str, Any] = {
        **loss_facts(loss, of_text),
        **dynamic_values,
        "chars": chars,
        "part": part,
        **geometry,
        **whole.changes,
        "as_trained": None if part is None else _as_trained(geometry | whole.changes, trained),
        "file": file,
        "checkpoint": str(path),
        **model_facts(loaded),
        "seconds": round(seconds, 3),
        "chars_per_second": round(chars / seconds, 1),
    }
    if ngrams is not None:
        train = ids[: split_at(len(ids), geometry["val_frac"])]
        values["ngrams"] = count_ngrams(train, piece, loaded.vocabulary, ngrams, file)
    if per_char and losses is not None:
        characters = [loaded.vocabulary.tokens[token] for token in piece[1:].tolist()]
        values["per_char"] = list(zip(characters, losses.tolist(), strict=True))
    if per_char and not as_json:
        _write_characters(values)
    else:
        write_facts(values, _rows, as_json)


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of them that set the part or its batches."""
    return {name: values[name] for name in _NOTEBOOK if values.get(name)}


def _as_trained(values: Mapping[str, Any], trained: Mapping[str, Any]) -> bool:
    """Whether the part and its batches are those of the training."""
    same_text = TextSettings.of(trained).changes == TextSettings.of(values).changes
    return same_text and all(values[name] == trained.get(name) for name in _GEOMETRY)


def _check_usage(part: str | None, given: dict[str, Any], per_char: bool, dynamic: bool, lr: float | None) -> None:
    """Raise UsageError for options that cannot be combined."""
    if dynamic and given["batch_size"] is not None:
        raise click.UsageError("--dynamic reads the text in one pass; leave --batch-size out")
    if lr is not None and not dynamic:
        raise click.UsageError("--lr belongs to --dynamic")
    if lr is not None and lr <= 0:
        raise click.UsageError(f"--lr {lr} is not above 0")
    if part is None:
        for name, value in given.items():
            if value is not None and not (dynamic and name == "seq_length"):
                raise click.UsageError(f"--{name.replace('_', '-')} belongs to --part; add --part val")
    elif per_char and not dynamic:
        raise click.UsageError("--per-char reads the text in one pass; leave --part out")
    if given["val_frac"] is not None and not 0 < given["val_frac"] < 1:
        raise click.UsageError(f"--val-frac {given['val_frac']} is not between 0 and 1")


def _part(ids: Ids, part: str, val_frac: float) -> Ids:
    boundary = split_at(len(ids), val_frac)
    return {"train": ids[:boundary], "val": ids[boundary:], "all": ids}[part]


def _in_one_pass(pieces: Iterator[NDArray[np.float64]], ids: Ids, label: str = "scoring") -> NDArray[np.float64]:
    done = []
    with progress_bar(len(ids) - 1, label) as bar:
        for piece in pieces:
            done.append(piece)
            bar.update(len(piece))
    return np.concatenate(done)


def _dynamically(loaded: Checkpoint, model: CharModel, ids: Ids, settings: DynamicSettings) -> NDArray[np.float64]:
    from charrnn_tui.training.dynamic_evaluation import Diverged, dynamic_losses  # torch: takes seconds

    try:
        return _in_one_pass(dynamic_losses(loaded, model, ids, settings), ids, "scoring and learning")
    except Diverged as error:
        raise click.ClickException(f"{error} at --lr {settings.lr}; try a smaller one") from None


def _dynamic_facts(
    dynamic_loss: float, loss: float, bytes_per_char: float | None, settings: DynamicSettings
) -> dict[str, Any]:
    facts = {f"dynamic_{name}": value for name, value in loss_facts(dynamic_loss, bytes_per_char).items()}
    return facts | {"gain": loss - dynamic_loss, "lr": settings.lr, "decay": settings.decay}


def _in_batches(model: CharModel, ids: Ids, batch_size: int, seq_length: int, most: int) -> tuple[float, int]:
    """The mean of the batch losses, and the number of characters read, which is at most `most`."""
    allowed = max(1, most // (batch_size * seq_length))
    batches = min(batch_count(len(ids), batch_size, seq_length), allowed)
    losses = []
    with progress_bar(batches, "scoring") as bar:
        for loss in islice(batch_losses(model, ids, batch_size, seq_length), allowed):
            losses.append(loss)
            bar.update(1)
    return float(np.mean(losses)), batches * batch_size * seq_length


def _write_characters(values: dict[str, Any]) -> None:
    stream = DataStream()
    for char, loss in values["per_char"]:
        stream.write_text(f"{to_json_text(char)}\t{loss:.6f}\n")
    stream.flush()
    say(_scored(values))


def _rows(values: dict[str, Any]) -> list[Row]:
    rows = [("loss", loss_text(values["loss"], values["bits_per_byte"])), ("scored", _scored(values))]
    if "gain" in values:
        gain = values["gain"]
        change = f"{abs(gain):.4f} {'less' if gain >= 0 else 'more'}"
        change += f": try a smaller --lr than {values['lr']}" if gain < -0.001 else ""
        learned = loss_text(values["dynamic_loss"], values["dynamic_bits_per_byte"])
        rows.insert(1, ("dynamic loss", f"{learned}, {change}"))
    if "ngrams" in values:
        best = min(values["ngrams"], key=lambda each: each["loss"])
        change = f"{abs(best['loss'] - values['loss']):.4f} {'more' if best['loss'] >= values['loss'] else 'less'}"
        name = f"the {best['n']}-gram, the best of 1 to {values['ngrams'][-1]['n']}"
        rows.insert(-1, ("n-grams", f"{loss_text(best['loss'], best['bits_per_byte'])}, {change}: {name}"))
    return rows


def _scored(values: dict[str, Any]) -> str:
    how = "in one pass"
    if "gain" in values:
        how = f"{how} ({values['part']})" if values["part"] else how
        how += f", learning after every {values['seq_length']} at --lr {values['lr']}"
    elif values["part"] is not None:
        how = f"({values['part']}), in batches of {values['batch_size']} × {values['seq_length']}"
        how += " as in its training" if values["as_trained"] else ""
    if changes := TextSettings.of(values).said:
        how += f", {changes}"
    rate = f"{duration(values['seconds'])}, {values['chars_per_second']:,.0f} chars/s"
    baseline = f"uniform guessing: {math.log(values['tokens']):.4f} nats/char"
    return f"{values['chars']:,} characters {how}; {rate}; {baseline}"

"""A model and a text that it is to read: the arguments and options of the commands that look inside."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.cli.options import Decorated, TextFileName, encoding_option, model_names, runs_option
from charrnn_tui.cli.output import may_draw
from charrnn_tui.cli.unknown_characters import known_text, unknown_option
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.runner.find_model import locate_checkpoint, open_model
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.text.batches import split_at
from charrnn_tui.text.corpus import read_as_trained
from charrnn_tui.text.text_settings import TextSettings
from charrnn_tui.text.vocabulary import Ids

CHARS = 200_000  # of a text that are read, where nothing else is said
LEAST_CHARS = 2


@dataclass(frozen=True, eq=False)
class ModelText:
    """A text, its ids, and the model. part: of the text that the file holds, as asked for."""

    checkpoint: Checkpoint
    model: CharModel
    path: Path
    file: str
    part: str
    settings: TextSettings
    text: str
    ids: Ids

    @property
    def facts(self) -> dict[str, Any]:
        """What was read by which model, for JSON."""
        facts = {"checkpoint": str(self.path), "file": self.file, "part": self.part, "chars": len(self.ids)}
        return facts | self.settings.changes

    @property
    def read(self) -> str:
        """Such as `198,523 characters (val)`, and what of the text was left out."""
        of_text = "; ".join(filter(None, [self.part, self.settings.said]))
        return f"{len(self.ids):,} characters ({of_text})"


def model_text_options(chars: int = CHARS) -> Callable[[Decorated], Decorated]:
    """The arguments CHECKPOINT and FILE, and the options for the part of the text; `open_model_text` takes them.

    chars: how many are read where nothing else is said.
    """
    options = (
        click.argument("checkpoint", metavar="CHECKPOINT", shell_complete=model_names),
        click.argument("file", metavar="FILE", type=TextFileName()),
        click.option(
            "--part",
            type=click.Choice(["val", "train", "all"]),
            default="val",
            show_default=True,
            help="The part of the text to read: val was held out of the training, if the model was trained on it.",
        ),
        click.option(
            "--chars",
            type=click.IntRange(min=LEAST_CHARS),
            default=chars,
            show_default=True,
            help="Most characters of that part to read, from its beginning.",
        ),
        encoding_option,
        unknown_option,
        runs_option,
    )

    def decorate(command: Decorated) -> Decorated:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def open_model_text(
    checkpoint: str, file: str, part: str, chars: int, encoding: str | None, unknown: str, runs_dir: Path
) -> ModelText:
    """Read both. Raises ClickException and CheckpointError, one line."""
    path = locate_checkpoint(checkpoint, runs_dir)
    loaded, model = open_model(path)
    whole, settings = read_as_trained(file, loaded.text_encoding(encoding), loaded.facts)
    val_frac = (loaded.facts.get("settings") or {}).get("val_frac") or TrainSettings().val_frac
    boundary = split_at(len(whole), val_frac)
    text = {"train": whole[:boundary], "val": whole[boundary:], "all": whole}[part][:chars]
    text = known_text(text, loaded.vocabulary, unknown, f"{file}:", click.ClickException)
    if len(text) < LEAST_CHARS:
        raise click.ClickException(f"{file}: the part {part} has {len(text)} characters; try --part all")
    return ModelText(loaded, model, path, file, part, settings, text, loaded.vocabulary.encode(text))


def progress_bar(length: int, label: str, *, hidden: bool = False) -> Any:
    """On a terminal's standard error; nothing elsewhere, or where it is to be hidden."""
    hidden = hidden or not may_draw(sys.stderr)
    return click.progressbar(length=max(0, length), label=label, file=sys.stderr, hidden=hidden)

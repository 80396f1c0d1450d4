"""`charrnn-tui learned`: what a model has learned when: losses by kind of character over a run's checkpoints."""

from pathlib import Path
from typing import Any

import click
import numpy as np

from charrnn_tui.analysis.classes import CLASSES, LEARNED
from charrnn_tui.analysis.learning import Learning
from charrnn_tui.cli.model_text import model_text_options, open_model_text, progress_bar
from charrnn_tui.cli.options import json_option
from charrnn_tui.cli.output import DataStream, say
from charrnn_tui.run.directory import find_run
from charrnn_tui.run.kept_checkpoints import kept_checkpoints
from charrnn_tui.runner.find_model import open_model
from charrnn_tui.sampling.scoring import sequence_losses

CHARS = 5000  # of the text; each kept checkpoint reads them


@click.command("learned")
@model_text_options(chars=CHARS)
@json_option("Write one JSON object.")
def learned_command(as_json: bool, **given: Any) -> None:
    """Show the loss of a model by the kind of character that it predicts, and when in its training it learned each.

    CHECKPOINT is a run, whose checkpoints of earlier steps all read the text FILE; or a checkpoint alone. Kinds are
    spaces, newlines, the first letter of a word and those inside it, capitals, digits, quotation marks and other signs.
    A kind counts as learned when nine tenths of the whole fall of its loss are done.
    """
    read = open_model_text(**given)
    run = find_run(given["runs_dir"], given["checkpoint"])
    kept = [] if run is None else kept_checkpoints(run.path)
    files: list[tuple[int | None, Path]] = [(step, file) for step, file in kept] or [
        (read.checkpoint.facts.get("step"), read.path)
    ]
    losses = []
    with progress_bar(len(files) * len(read.ids), "reading") as bar:
        for _, file in files:
            model = open_model(file)[1]
            model.wait_for_compiled_code()
            pieces = []
            for piece in sequence_losses(model, read.ids):
                pieces.append(piece)
                bar.update(len(piece))
            losses.append(np.concatenate(pieces).astype(np.float32))
    learning = Learning(read.text, [step for step, _ in files], np.stack(losses))
    columns = learning.steps, learning.totals, learning.by_class
    stream = DataStream()
    if as_json:
        rows = [
            {"step": step, "loss": total, "classes": dict(zip(CLASSES, class_row, strict=True))}
            for step, total, class_row in zip(*columns, strict=True)
        ]
        stream.write_json(read.facts | {"steps": rows, "learned_at": learning.learned})
        return
    stream.write_line(_line("step", ["all", *CLASSES]))
    for step, total, class_row in zip(*columns, strict=True):
        figures = [f"{loss:.3f}" if loss is not None else "–" for loss in (total, *class_row)]
        stream.write_line(_line("–" if step is None else f"{step:,}", figures))
    if len(files) > 1:
        at = ["–" if step is None else f"{step:,}" for step in learning.learned.values()]
        stream.write_line(_line("learned", ["", *at]))
    say(f"{read.read}; losses in nats/char; learned: the first step with {LEARNED:.0%} of the fall done")


def _line(first: str, others: list[str]) -> str:
    return f"{first:>7}" + "".join(f"{other:>8}" for other in others)

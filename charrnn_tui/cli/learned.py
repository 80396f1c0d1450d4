"""`charrnn-tui learned`: what a model has learned when: losses by kind of character over a run's checkpoints."""

from pathlib import Path
from typing import Any

import click
import numpy as np

from charrnn_tui.analysis.classes import CLASSES, LEARNED, class_losses, classes_of, learned_at
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
    classes = classes_of(read.text)[1:]  # nothing predicts the first character
    totals: list[float] = []
    by_class: list[list[float | None]] = []  # of each checkpoint
    with progress_bar(len(files) * len(read.ids), "reading") as bar:
        for _, file in files:
            model = open_model(file)[1]
            model.wait_for_compiled_code()
            pieces = []
            for piece in sequence_losses(model, read.ids):
                pieces.append(piece)
                bar.update(len(piece))
            losses = np.concatenate(pieces)
            totals.append(float(losses.mean()))
            by_class.append(class_losses(classes, losses))
    steps = [step for step, _ in files]
    learned = [
        learned_at([step or 0 for step in steps], [loss for loss in each if loss is not None])
        for each in zip(*by_class, strict=True)
    ]
    stream = DataStream()
    if as_json:
        rows = [
            {"step": step, "loss": total, "classes": dict(zip(CLASSES, losses, strict=True))}
            for step, total, losses in zip(steps, totals, by_class, strict=True)
        ]
        stream.write_json(read.facts | {"steps": rows, "learned_at": dict(zip(CLASSES, learned, strict=True))})
        return
    stream.write_line(_line("step", ["all", *CLASSES]))
    for step, total, class_row in zip(steps, totals, by_class, strict=True):
        figures = [f"{loss:.3f}" if loss is not None else "–" for loss in (total, *class_row)]
        stream.write_line(_line("–" if step is None else f"{step:,}", figures))
    if len(files) > 1:
        stream.write_line(_line("learned", ["", *("–" if step is None else f"{step:,}" for step in learned)]))
    say(f"{read.read}; losses in nats/char; learned: the first step with {LEARNED:.0%} of the fall done")


def _line(first: str, others: list[str]) -> str:
    return f"{first:>7}" + "".join(f"{other:>8}" for other in others)

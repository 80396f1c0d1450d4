"""The options of `train`: one for each setting, named as in the notebook; what is not given comes from the preset."""

from collections.abc import Callable
from typing import Any

import click

from charrnn_tui.cli.options import Decorated, Duration, FiniteFloat, bytes_option, encoding_option
from charrnn_tui.run.fitting import FITTED
from charrnn_tui.run.settings import (
    DEFAULT_PRESET,
    DEVICES,
    ON_HANGUP,
    PRECISIONS,
    PRESETS,
    SCHEDULES,
    option,
    settings_for,
)

_HELP: dict[str, tuple[Any, str]] = {  # type, help; TrainSettings checks the ranges
    "init_from": (
        str,
        "Start from the weights of this model, a file, a run, or anna, python or names, whatever program has made it: "
        "fine-tuning. Sizes and characters are the model's; characters that are new to it come behind its own. The "
        "learning rate is a third of a new model's, if not given, but for --preset notebook.",
    ),
    "old_text": (
        str,
        "Let validations read the end of this text, too, such as the one that the model of --init-from was trained on: "
        "its loss shows what is forgotten.",
    ),
    "n_hidden": (int, "Hidden units per layer."),
    "n_layers": (int, "LSTM layers."),
    "drop_prob": (FiniteFloat(), "Dropout between the layers and before the output."),
    "epochs": (int, "Passes over the text."),
    "batch_size": (int, "Rows of text in a batch."),
    "seq_length": (int, "Characters of a row that a step reads."),
    "lr": (FiniteFloat(), "Learning rate; its peak under one-cycle."),
    "clip": (FiniteFloat(), "Largest norm of the gradient; a larger one is scaled down."),
    "skip_head": (int, "Characters to leave out at the beginning of the text, such as a licence."),
    "skip_tail": (int, "Characters to leave out at its end; charrnn-tui text FILE says how many."),
    "min_count": (int, "Replace characters that occur less often than this by one, \N{REPLACEMENT CHARACTER}."),
    "weights": (
        str,
        "How often an epoch reads each CORPUS, such as 3,1 for two: the first one three times. Validation does not.",
    ),
    "val_frac": (FiniteFloat(), "Share of the text, at its end, held out for validation; 0 for none."),
    "val_chars": (int, "Most characters that a validation reads, from the start of each row of its batches."),
    "print_every": (int, "Steps between two validations."),
    "schedule": (click.Choice(SCHEDULES), "Schedule of the learning rate."),
    "weight_drop": (FiniteFloat(), "Dropout of the recurrent weights, drawn anew each step."),
    "exact_dropout": (bool, "In float32, draw the random numbers of dropout as PyTorch does, which takes longer."),
    "weight_decay": (FiniteFloat(), "Weight decay, by AdamW; 0 is Adam."),
    "forget_bias": (FiniteFloat(), "Added to the forget gates' bias at the start."),
    "output_bias": (bool, "Initialize the output bias with the frequencies of the characters."),
    "max_steps": (int, "Stop after this many steps."),
    "budget": (
        Duration(),
        "End after this time, such as 90s, 10m or 1h30m, without pauses: decides on the number of steps, with the "
        "learning rate's schedule at its end by then, and on a smaller --n-hidden for a short time, if not given.",
    ),
    "patience": (
        int,
        "Stop after this many validations in a row without a lower loss; under one-cycle the loss falls most at the "
        "end, so that few are too few.",
    ),
    "keep_checkpoints": (int, "Most checkpoints of earlier steps to keep; 0 for none."),
    "device": (click.Choice(DEVICES), "Where to train."),
    "precision": (click.Choice(PRECISIONS), "Precision of the matrix products in training."),
    "threads": (int, "Threads used on the CPU."),
    "ranks": (
        int,
        "Processes that train together, each on its rows of a batch: on a machine with several GPUs one for each; on "
        "several machines, start the command with torchrun.",
    ),
    "seed": (int, "Seed of the initial weights and of dropout."),
    "sample_prime": (str, "Beginning of the samples written during training."),
    "sample_length": (int, "Length of these samples, in characters."),
    "sample_top_k": (int, "Top-k of these samples."),
    "sample_seed": (int, "Seed of these samples, the same each time, so that they can be compared."),
    "on_hangup": (click.Choice(ON_HANGUP), "When the terminal is lost: continue without it, or save and stop."),
}
SETTING_TYPES: dict[str, Any] = {name: click.BOOL if kind is bool else kind for name, (kind, _) in _HELP.items()}
_UNSET = {"threads": "the fastest, by a short trial", "init_from": "a new model", "weights": "once"} | dict.fromkeys(
    ("max_steps", "budget", "patience", "old_text"), "none"
)


def training_options(command: Decorated) -> Decorated:
    """Add an option for each setting, and `preset`; an option that is not given is None."""
    for name in reversed(_HELP):
        command = _option(name)(command)
    command = bytes_option(encoding_option(command))
    return click.option(
        "--preset",
        type=click.Choice(list(PRESETS)),
        help="Where settings that are not given come from: the course notebook, exactly; a shorter training, fitted to "
        f"the text's size (the default, {DEFAULT_PRESET}); or a longer one to the least validation loss, fitted too.",
    )(command)


def _option(name: str) -> Callable[[Decorated], Decorated]:
    kind, words = _HELP[name]
    of_preset = {preset: getattr(settings_for(preset), name) for preset in PRESETS}
    default = of_preset.pop(DEFAULT_PRESET)
    first = _plain(_UNSET.get(name, default)) + (", fitted to the text" if name in FITTED else "")
    others = [f"{preset}: {_plain(value)}" for preset, value in of_preset.items() if value != default]
    help_text = f"{words}  [default: {'; '.join([first, *others])}]"
    if kind is bool:
        flags = f"{option(name)}/{option('no_' + name)}"
        return click.option(flags, name, default=None, help=help_text)
    return click.option(option(name), name, type=kind, default=None, help=help_text)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) or "empty"

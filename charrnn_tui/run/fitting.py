"""Settings fitted to the size of a text: the defaults of the form and of the command line."""

import math
from collections.abc import Container
from dataclasses import replace
from typing import Any

from charrnn_tui.run.settings import TrainSettings

BATCHES_PER_STEP = 3  # that a validation (forward only) reads in the time of a training step
VALIDATION_SHARE = 0.05  # of the training time, at most
LEAST_VALIDATIONS = 8
LEAST_STEPS = 1500  # with fewer a model has learned little even of a small text
LEAST_STEPS_PER_EPOCH = 40
LEAST_SEQ_LENGTH = 10  # with fewer characters in its validation part a text is too short
MOST_EPOCHS = 200
# Up to so many characters: n_hidden, n_layers, drop_prob at most, least, seq_length at most. Measured: docs/guide.md.
SIZES = ((10_000, 64, 1, 0.5, 50), (100_000, 128, 2, 0.3, 50), (1_000_000, 256, 2, 0.2, 100))
FITTED = ("n_hidden", "n_layers", "drop_prob", "seq_length", "batch_size", "epochs", "print_every")


def fit_to_text(settings: TrainSettings, chars: int, given: Container[str] = ()) -> TrainSettings:
    """The settings with those in FITTED made for a text of so many characters; fields in `given` stay.

    Small texts get smaller models, more dropout, and batches so small that validation holds one and an epoch
    `LEAST_STEPS_PER_EPOCH`; epochs are added up to `LEAST_STEPS`. Of the preset `notebook`, and for a text of
    megabytes, only `print_every` changes.
    """
    boundary = int(chars * (1 - settings.val_frac))
    room = min(boundary, chars - boundary) if settings.val_frac else chars
    if settings.preset == "notebook" or room < 1:
        return settings if "print_every" in given else with_rare_validations(settings, chars)

    def fitted(field: str, value: Any) -> None:
        nonlocal settings
        if field not in given:
            settings = replace(settings, **{field: value})

    for most, n_hidden, n_layers, drop_prob, seq_length in SIZES:
        if chars <= most:
            fitted("n_hidden", min(settings.n_hidden, n_hidden))
            fitted("n_layers", min(settings.n_layers, n_layers))
            fitted("drop_prob", max(settings.drop_prob, drop_prob))
            fitted("seq_length", min(settings.seq_length, seq_length))
            break
    fitted("seq_length", min(settings.seq_length, max(LEAST_SEQ_LENGTH, room)))
    batch_size, seq_length = settings.batch_size, settings.seq_length
    while batch_size > 1 and (
        batch_size * seq_length > room or boundary // (batch_size * seq_length) < LEAST_STEPS_PER_EPOCH
    ):
        batch_size //= 2
    fitted("batch_size", batch_size)
    steps_per_epoch = max(1, boundary // (settings.batch_size * seq_length))
    fitted("epochs", max(settings.epochs, min(MOST_EPOCHS, -(-LEAST_STEPS // steps_per_epoch))))
    steps = min(steps_per_epoch * settings.epochs, settings.max_steps or math.inf)
    fitted("print_every", max(1, min(settings.print_every, int(steps) // LEAST_VALIDATIONS)))
    return settings if "print_every" in given else with_rare_validations(settings, chars)


def with_rare_validations(settings: TrainSettings, chars: int) -> TrainSettings:
    """The settings with `print_every` raised until validations take at most `VALIDATION_SHARE` of the time.

    At least `LEAST_VALIDATIONS` remain. The presets fit a text of two megabytes already.
    """
    batch_chars = settings.batch_size * settings.seq_length
    train_chars = int(chars * (1 - settings.val_frac))
    val_batches = min(chars - train_chars, settings.val_chars) // batch_chars
    whole = train_chars // batch_chars * settings.epochs
    rare = math.ceil(round(val_batches / BATCHES_PER_STEP / VALIDATION_SHARE, 6))
    rare = min(rare, min(whole, settings.max_steps or whole) // LEAST_VALIDATIONS)
    return replace(settings, print_every=max(settings.print_every, rare))

"""Settings fitted to the size of a text: the defaults of the form and the command line."""

import dataclasses
import math

from charrnn_tui.run.settings import TrainSettings

BATCHES_PER_STEP = 3  # that a validation (forward only) reads in the time of a training step
VALIDATION_SHARE = 0.05  # of the training time, at most
LEAST_VALIDATIONS = 8
LEAST_STEPS = 1500  # with fewer a model has learned little even of a small text
LEAST_STEPS_PER_EPOCH = 40
MOST_EPOCHS = 200


def fit_to_text(settings: TrainSettings, chars: int) -> TrainSettings:
    """The settings with batch size, sequence length and epochs for a text of so many characters.

    The batch size is halved until validation holds a batch and an epoch `LEAST_STEPS_PER_EPOCH`; epochs are added
    up to `LEAST_STEPS`. For a text of megabytes only `print_every` changes.
    """
    val_chars = chars - int(chars * (1 - settings.val_frac))
    room = min(chars - val_chars, val_chars) if settings.val_frac else chars
    if room < 1:
        return settings
    seq_length = min(settings.seq_length, room)
    batch_size = settings.batch_size
    while batch_size > 1 and (
        batch_size * seq_length > room or (chars - val_chars) // (batch_size * seq_length) < LEAST_STEPS_PER_EPOCH
    ):
        batch_size //= 2
    steps_per_epoch = max(1, (chars - val_chars) // (batch_size * seq_length))
    epochs = max(settings.epochs, min(MOST_EPOCHS, -(-LEAST_STEPS // steps_per_epoch)))
    print_every = max(1, min(settings.print_every, steps_per_epoch * epochs // LEAST_VALIDATIONS))
    fitted = dataclasses.replace(
        settings, batch_size=batch_size, seq_length=seq_length, epochs=epochs, print_every=print_every
    )
    return with_rare_validations(fitted, chars)


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
    return dataclasses.replace(settings, print_every=max(settings.print_every, rare))

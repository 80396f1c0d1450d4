"""Settings that suit a text: what the form fills in before anybody has typed a number."""

import dataclasses
import math

from charrnn_tui.run.settings import TrainSettings

BATCHES_PER_STEP = 3  # that a validation, which is forward only, reads in the time of a step
VALIDATION_SHARE = 0.05  # of the training's time, at most
LEAST_VALIDATIONS = 8
LEAST_STEPS = 1500  # below so many steps a small text has taught little
LEAST_STEPS_PER_EPOCH = 40
MOST_EPOCHS = 200


def fit_to_text(settings: TrainSettings, chars: int) -> TrainSettings:
    """The settings with batch, sequence length and epochs that a text of so many characters can carry.

    Batches shrink by powers of two until validation holds one and an epoch some dozens of steps; epochs grow until
    there are enough steps to learn from. A text of some megabytes only gets its validations further apart.
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
    """The settings with so many steps between validations that these take a twentieth of the time, and still some come.

    Never fewer steps than before. The validation of a text of two megabytes is that rare by the presets.
    """
    batch_chars = settings.batch_size * settings.seq_length
    train_chars = int(chars * (1 - settings.val_frac))
    val_batches = min(chars - train_chars, settings.val_chars) // batch_chars
    whole = train_chars // batch_chars * settings.epochs
    rare = math.ceil(round(val_batches / BATCHES_PER_STEP / VALIDATION_SHARE, 6))
    rare = min(rare, min(whole, settings.max_steps or whole) // LEAST_VALIDATIONS)
    return dataclasses.replace(settings, print_every=max(settings.print_every, rare))

"""Settings that suit a text: what the form fills in before anybody has typed a number."""

import dataclasses

from charrnn_tui.run.settings import TrainSettings

LEAST_STEPS = 1500  # below so many steps a small text has taught little
LEAST_STEPS_PER_EPOCH = 40
MOST_EPOCHS = 200


def fit_to_text(settings: TrainSettings, chars: int) -> TrainSettings:
    """The settings with batch, sequence length and epochs that a text of so many characters can carry.

    Batches shrink by powers of two until validation holds one and an epoch some dozens of steps; epochs grow until
    there are enough steps to learn from. A text of some megabytes is left as it is.
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
    print_every = max(1, min(settings.print_every, steps_per_epoch * epochs // 10))
    return dataclasses.replace(
        settings, batch_size=batch_size, seq_length=seq_length, epochs=epochs, print_every=print_every
    )

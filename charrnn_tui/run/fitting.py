"""Settings fitted to the size of a text, the defaults of the form and of the command line, and to a budget."""

import math
from collections.abc import Callable, Container
from dataclasses import replace
from typing import Any

from charrnn_tui.run.budget import Budget, steps_within
from charrnn_tui.run.quantities import duration
from charrnn_tui.run.settings import SettingsError, TrainSettings

BATCHES_PER_STEP = 3  # that a validation (forward only) reads in the time of a training step
VALIDATION_SHARE = 0.05  # of the training time, at most
LEAST_VALIDATIONS = 8
LEAST_STEPS = 1500  # with fewer a model has learned little even of a small text
LEAST_STEPS_PER_EPOCH = 40
LEAST_SEQ_LENGTH = 10  # with fewer characters in its validation part a text is too short
MOST_EPOCHS = 200
SIZES: dict[int, dict[str, Any]] = {  # of the model, for a text of at most so many characters; tried in docs/sizes.md
    10_000: {"n_hidden": 64, "n_layers": 1, "drop_prob": 0.5},
    100_000: {"n_hidden": 128, "n_layers": 2},
    1_000_000: {"n_hidden": 256, "n_layers": 2},
}
SHORT_TEXT, SHORT_SEQ_LENGTH = 100_000, 50  # of so few characters short sequences make more steps
# The peak learning rate of a model with at most so many hidden units: benchmarks/results/quality.md
LEARNING_RATES = {256: 0.01, 512: 0.009, math.inf: 0.003}
TUNING_SHARE = 1 / 3  # of it, for a model that starts from another one: see docs/fine-tuning.md
ENOUGH_STEPS = 1000  # or else half the width; with a third of them that was better: docs/sizes.md
LEAST_HIDDEN = 128  # narrower models were not tried
LEAST_BUDGET_STEPS = 100  # with fewer no model has learned anything
BY_BUDGET = ("n_hidden", "epochs", "print_every")  # where they are not given
FITTED = ("n_hidden", "n_layers", "drop_prob", "seq_length", "batch_size", "epochs", "lr", "print_every")


def fit_to_text(settings: TrainSettings, chars: int, given: Container[str] = ()) -> TrainSettings:
    """The settings with those in FITTED made for a text of so many characters; fields in `given` stay.

    Small texts get smaller models, more dropout, and batches so small that validation holds one and an epoch
    `LEAST_STEPS_PER_EPOCH`; epochs are added up to `LEAST_STEPS`. The narrower the model, the higher the learning rate;
    it is lower for a model that starts from another one.
    Of the preset `notebook`, and for a text of megabytes and a model of 512 units, only `print_every` changes.
    """
    boundary = int(chars * (1 - settings.val_frac))
    room = min(boundary, chars - boundary) if settings.val_frac else chars
    if settings.preset == "notebook" or room < 1:
        return settings if "print_every" in given else with_rare_validations(settings, chars)

    def fitted(field: str, value: Any) -> None:
        nonlocal settings
        if field not in given:
            settings = replace(settings, **{field: value})

    for field, value in next((sizes for most, sizes in SIZES.items() if chars <= most), {}).items():
        fitted(field, value)
    settings = _with_rate(settings, given)
    if chars <= SHORT_TEXT:
        fitted("seq_length", min(settings.seq_length, SHORT_SEQ_LENGTH))
    fitted("seq_length", min(settings.seq_length, max(LEAST_SEQ_LENGTH, room)))
    batch_size, seq_length = settings.batch_size, settings.seq_length
    while (
        batch_size > 1
        and batch_size // 2 % settings.ranks == 0
        and (batch_size * seq_length > room or boundary // (batch_size * seq_length) < LEAST_STEPS_PER_EPOCH)
    ):
        batch_size //= 2
    fitted("batch_size", batch_size)
    steps_per_epoch = max(1, boundary // (settings.batch_size * seq_length))
    fitted("epochs", max(settings.epochs, min(MOST_EPOCHS, -(-LEAST_STEPS // steps_per_epoch))))
    steps = min(steps_per_epoch * settings.epochs, settings.max_steps or math.inf)
    fitted("print_every", max(1, min(settings.print_every, int(steps) // LEAST_VALIDATIONS)))
    return settings if "print_every" in given else with_rare_validations(settings, chars)


def _with_rate(settings: TrainSettings, given: Container[str]) -> TrainSettings:
    """The settings with the learning rate of the model's width, or a lower one for a model that is trained on."""
    if "lr" in given:
        return settings
    rate = next(rate for most, rate in LEARNING_RATES.items() if settings.n_hidden <= most)
    return replace(settings, lr=rate * TUNING_SHARE if settings.init_from else rate)


def with_rare_validations(settings: TrainSettings, chars: int) -> TrainSettings:
    """The settings with `print_every` raised until validations take at most `VALIDATION_SHARE` of the time.

    At least `LEAST_VALIDATIONS` remain, or as many as take the time of the steps: in a trial of some steps, the one at
    its end. The presets fit a text of two megabytes already.
    """
    batch_chars = settings.batch_size * settings.seq_length
    train_chars = int(chars * (1 - settings.val_frac))
    val_batches = min(chars - train_chars, settings.val_chars) // batch_chars
    whole = train_chars // batch_chars * settings.epochs
    steps = min(whole, settings.max_steps or whole)
    each = val_batches / BATCHES_PER_STEP  # of a validation, in steps
    rare = math.ceil(round(each / VALIDATION_SHARE, 6))
    rare = min(rare, max(steps // LEAST_VALIDATIONS, min(steps, math.ceil(each))))
    return replace(settings, print_every=max(settings.print_every, rare))


def fit_to_budget(
    settings: TrainSettings,
    chars: int,
    budget: Budget,
    step_seconds: Callable[[TrainSettings], float],
    given: Container[str] = (),
) -> TrainSettings:
    """The settings with as many steps as the budget has time for, on a text of so many characters.

    step_seconds: measures those settings. Unless `n_hidden` is given, or the preset is `notebook`, the model is halved
    in width until `ENOUGH_STEPS` fit, with the learning rate of its size. Validations take at most `VALIDATION_SHARE`
    of the time, but for the last one.
    Raises SettingsError for a budget of less than `LEAST_BUDGET_STEPS`.
    """
    batch_chars, boundary = settings.batch_size * settings.seq_length, int(chars * (1 - settings.val_frac))
    val_batches = math.ceil(min(chars - boundary, settings.val_chars) / batch_chars)
    rare = math.ceil(round(val_batches / BATCHES_PER_STEP / VALIDATION_SHARE, 6))
    may_shrink = settings.preset != "notebook" and "n_hidden" not in given
    while True:
        each = step_seconds(settings)
        val_seconds, every = val_batches * each / BATCHES_PER_STEP, settings.print_every
        if "print_every" not in given:
            steps = steps_within(budget.left_seconds, each, val_seconds, max(1, rare))
            every = max(1, rare, min(every, steps // LEAST_VALIDATIONS))
        steps = steps_within(budget.left_seconds, each, val_seconds, every)
        if steps >= ENOUGH_STEPS or not may_shrink or settings.n_hidden < 2 * LEAST_HIDDEN:
            break
        settings = _with_rate(replace(settings, n_hidden=settings.n_hidden // 2), given)
    if steps < LEAST_BUDGET_STEPS:
        enough = budget.spent_seconds + val_seconds + 1.5 * LEAST_BUDGET_STEPS * each
        problem = f"{duration(budget.seconds)} is time for {steps} steps of {each:.2g} s: a model learns little in them"
        raise SettingsError("budget", f"{problem}; give at least {math.ceil(enough)}s, or a smaller --n-hidden")
    epochs = -(-steps // max(1, boundary // batch_chars))
    return replace(settings, epochs=epochs, max_steps=steps, print_every=every)

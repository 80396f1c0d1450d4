"""The settings that are typed into the form as numbers and times: their labels and types."""

from collections.abc import Callable, Mapping
from typing import Final

from charrnn_tui.run.quantities import seconds_of

NUMBERS: Final[Mapping[str, tuple[str, Callable[[str], float]]]] = {  # label and type of the settings that are typed
    "n_hidden": ("hidden units", int),
    "n_layers": ("layers", int),
    "batch_size": ("batch size", int),
    "seq_length": ("seq. length", int),
    "epochs": ("epochs", int),
    "budget": ("budget", seconds_of),
    "lr": ("learning rate", float),
    "drop_prob": ("dropout", float),
    "val_frac": ("valid. share", float),
    "print_every": ("valid. every", int),
    "patience": ("patience", int),
    "seed": ("seed", int),
    "threads": ("threads", int),
    "ranks": ("ranks", int),
    "skip_head": ("skip head", int),
    "skip_tail": ("skip tail", int),
}
# What the fields of settings that may be left out say while they are empty.
OPTIONAL: Final = {"budget": "none, or 10m", "patience": "none", "threads": "the fastest"}
KINDS: Final = {int: "a whole number", float: "a number", seconds_of: "a time such as 90s, 10m or 1h30m"}


def as_text(value: float | None) -> str:
    """A setting as it is typed."""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def label_of(name: str) -> str:
    """The label of a setting's field."""
    return NUMBERS[name][0] if name in NUMBERS else name

"""Units of a network that are held at a value while it writes: what a unit follows it need not cause."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LARGEST = 0.9999  # activation, tanh(c): at 1 the cell would be infinite


@dataclass(frozen=True)
class Pin:
    """A unit, its layer and itself counted from 1. value: its activation or, if `adds`, what is added to it."""

    layer: int
    unit: int
    value: float
    adds: bool = False

    def __str__(self) -> str:
        """As `parse_pins` reads it."""
        return f"{self.layer}.{self.unit}{'+' if self.adds else ''}={self.value:g}"


@lru_cache(maxsize=64)
def parse_pins(text: str) -> tuple[Pin, ...]:
    """Pins as `2.17=-1` (held at this activation) or `2.17+=0.5` (so much is added), several with spaces or commas.

    Raises ValueError.
    """
    pins = []
    for part in text.replace(",", " ").split():
        match = re.fullmatch(r"([1-9][0-9]{0,4})\.([1-9][0-9]{0,5})(\+?)=([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))", part)
        if match is None or abs(float(match[4])) > 1:
            raise ValueError(f"pin has {part!r}, it must be as 2.17=-1 or 2.17+=0.5: layer.unit, and from -1 to 1")
        pins.append(Pin(int(match[1]), int(match[2]), float(match[4]), adds=match[3] == "+"))
    if not pins:
        raise ValueError("pin is empty, it must be as 2.17=-1, or none")
    return tuple(pins)


def check_pins(pins: Sequence[Pin], n_layers: int, n_hidden: int) -> None:
    """Raise ValueError, one line, for a unit that a network of this size lacks."""
    for pin in pins:
        if pin.layer > n_layers or pin.unit > n_hidden:
            raise ValueError(f"pin {pin.layer}.{pin.unit}: the model has {n_layers} layers of {n_hidden} units")


def hold(
    pins: Sequence[Pin],
    layer: int,
    output_gates: NDArray[np.float32],
    h: NDArray[np.float32],
    c: NDArray[np.float32],
) -> None:
    """Change the state of a layer, counted from 1, behind its step. output_gates, h, c: (…, H), h and c in place.

    h' = o · tanh(c') holds after it, too. Units that the layer lacks are ignored.
    """
    for pin in pins:
        if pin.layer == layer and pin.unit <= h.shape[-1]:
            unit = pin.unit - 1
            before = np.tanh(c[..., unit]) if pin.adds else np.zeros_like(c[..., unit])
            activation = np.clip(before + np.float32(pin.value), -LARGEST, LARGEST)
            c[..., unit], h[..., unit] = np.arctanh(activation), output_gates[..., unit] * activation

"""A checkpoint whose tensors do not fit together is refused, and the tensor named."""

import numpy as np
import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint, CheckpointError, Weights, sizes_of, tensor_shapes
from charrnn_tui.text.vocabulary import Vocabulary

TOKENS = "abcdefghijk"


def weights() -> dict[str, np.ndarray]:
    return {name: np.zeros(shape, np.float32) for name, shape in tensor_shapes(len(TOKENS), 6, 2).items()}


def checkpoint(tensors: Weights) -> Checkpoint:
    return Checkpoint(tensors, Vocabulary(TOKENS), 6, 2)


@pytest.mark.parametrize(
    "name", ["lstm.weight_ih_l0", "lstm.weight_hh_l1", "lstm.bias_hh_l0", "fc.weight", "fc.bias", "lstm.weight_hh_l0"]
)
def test_a_missing_tensor_is_named(name: str) -> None:
    tensors = weights()
    del tensors[name]
    with pytest.raises(CheckpointError, match=f"{name} is missing"):
        checkpoint(tensors)


@pytest.mark.parametrize(
    ("name", "shape", "found", "expected"),
    [
        ("fc.weight", (11, 7), "11 × 7", "11 × 6"),
        ("fc.bias", (10,), "10", "11"),
        ("lstm.weight_ih_l1", (24, 5), "24 × 5", "24 × 6"),
        ("lstm.weight_hh_l0", (18, 6), "18 × 6", "24 × 6"),  # a GRU has three gates
        ("lstm.bias_ih_l1", (24, 1), "24 × 1", "24"),
        ("lstm.weight_hh_l0", (24, 6, 1), "24 × 6 × 1", "24 × 6"),
        ("lstm.weight_hh_l0", (24,), "24", "24 × 6"),
    ],
)
def test_a_misshapen_tensor_is_named_with_both_shapes(name: str, shape: tuple[int], found: str, expected: str) -> None:
    with pytest.raises(CheckpointError) as raised:
        checkpoint(weights() | {name: np.zeros(shape, np.float32)})
    assert str(raised.value) == f"the tensor {name} is {found}, expected {expected}"


@pytest.mark.parametrize("shape", [(), (24,), (24, 6, 1)])
def test_sizes_cannot_be_read_from_a_tensor_that_is_no_matrix(shape: tuple[int, ...]) -> None:
    with pytest.raises(CheckpointError, match=r"lstm.weight_hh_l0 has \d dimensions, expected 2"):
        sizes_of(weights() | {"lstm.weight_hh_l0": np.zeros(shape, np.float32)})


def test_a_tensor_that_does_not_belong_is_named() -> None:
    with pytest.raises(CheckpointError, match=r"lstm.weight_ih_l0_reverse"):
        checkpoint(weights() | {"lstm.weight_ih_l0_reverse": np.zeros((24, 11), np.float32)})


def test_weights_that_are_not_floating_point_are_refused() -> None:
    with pytest.raises(CheckpointError, match=r"fc.bias is of type int8"):
        checkpoint(weights() | {"fc.bias": np.zeros(11, np.int8)})


@pytest.mark.parametrize(("n_hidden", "n_layers"), [(0, 1), (4, 0)])
def test_a_network_without_units_or_layers_is_refused(n_hidden: int, n_layers: int) -> None:
    shapes = tensor_shapes(len(TOKENS), n_hidden, n_layers)
    tensors = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    with pytest.raises(CheckpointError, match="no hidden units or no layers"):
        Checkpoint(tensors, Vocabulary(TOKENS), n_hidden, n_layers)

"""The batches on the device are the notebook's, wherever the text lies."""

from pathlib import Path

import numpy as np
import pytest
import torch

from charrnn_tui.text.batches import get_batches
from charrnn_tui.text.long_text import map_array
from charrnn_tui.training.batches import Batches, resident_bytes

CPU = torch.device("cpu")


def ids_of(length: int, dtype: type[np.unsignedinteger], top: int = 200) -> np.ndarray:
    return np.random.default_rng(length).integers(top, size=length).astype(dtype)


@pytest.mark.parametrize("resident", [True, False])
@pytest.mark.parametrize(
    ("length", "batch_size", "seq_length"),
    [(1200, 8, 15), (1080, 8, 15), (53, 1, 7), (64, 64, 1), (9, 9, 1), (40, 4, 10)],
)
def test_each_window_is_the_text_s(length: int, batch_size: int, seq_length: int, resident: bool) -> None:
    ids = ids_of(length, np.uint8)
    batches = Batches(ids, batch_size, seq_length, CPU, resident=resident)
    expected = list(get_batches(ids, batch_size, seq_length))
    assert len(batches) == len(expected) > 0
    for window in reversed(range(len(expected))):  # in any order
        for ours, theirs in zip(batches[window], expected[window], strict=True):
            assert (ours.dtype, ours.is_contiguous()) == (torch.int64, True)
            np.testing.assert_array_equal(ours.numpy(), theirs.T)
    assert [x.tolist() for x, _ in batches] == [x.T.tolist() for x, _ in expected]


@pytest.mark.parametrize(
    ("dtype", "top", "bytes_each"), [(np.uint8, 256, 1), (np.uint16, 65_536, 4), (np.uint32, 100_000, 4)]
)
def test_ids_of_any_width_stay_what_they_are(dtype: type[np.unsignedinteger], top: int, bytes_each: int) -> None:
    ids = ids_of(600, dtype, top)
    ids[:2] = top - 1
    assert resident_bytes(ids) == 600 * bytes_each
    kept, copied = (Batches(ids, 4, 10, CPU, resident=resident) for resident in (True, False))
    for ours, theirs in zip(kept, copied, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert int(kept[0][0].max()) == top - 1


def test_a_mapped_text_can_lie_on_the_device(tmp_path: Path) -> None:
    ids = ids_of(5000, np.uint8)
    ids.tofile(tmp_path / "ids")
    batches = Batches(map_array(tmp_path / "ids", np.dtype(np.uint8)), 4, 10, CPU, resident=True)
    (tmp_path / "ids").unlink()
    for (x, _), (expected, _) in zip(batches, get_batches(ids, 4, 10), strict=True):
        np.testing.assert_array_equal(x.numpy(), expected.T)

"""Batches as the notebook cuts them, and what a text is too short for."""

import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from charrnn_tui.text.batches import (
    TextTooShort,
    batch_count,
    check_geometry,
    get_batches,
    split_at,
)
from tests.text.notebook_batches import notebook_batches

SMALL = st.integers(1, 12)
GEOMETRY = (st.integers(1, 5000), st.integers(1, 200), st.integers(1, 200))
VAL_FRACS = st.one_of(st.just(0.0), st.sampled_from([0.1, 0.5, 0.9, 1e-3, 1e-18]), st.floats(0.0, 0.9))


@given(st.integers(0, 700), SMALL, SMALL)
def test_batches_are_the_notebook_s(length: int, batch_size: int, seq_length: int) -> None:
    ids = np.random.default_rng(length).integers(0, 200, length).astype(np.uint8)
    ours = list(get_batches(ids, batch_size, seq_length))
    theirs = notebook_batches(ids, batch_size, seq_length)
    assert len(ours) == len(theirs) == batch_count(length, batch_size, seq_length)
    for (x, y), (expected_x, expected_y) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(x, expected_x)
        np.testing.assert_array_equal(y, expected_y)
        assert x.dtype == y.dtype == np.uint8


def test_the_last_target_of_the_last_window_wraps_to_the_row_s_first_character() -> None:
    batches = list(get_batches(np.arange(13, dtype=np.uint8), 2, 3))
    assert [x.tolist() for x, _ in batches] == [[[0, 1, 2], [6, 7, 8]], [[3, 4, 5], [9, 10, 11]]]
    assert [y.tolist() for _, y in batches] == [[[1, 2, 3], [7, 8, 9]], [[4, 5, 0], [10, 11, 6]]]


def test_the_split_rounds_down() -> None:
    assert split_at(1_985_223, 0.1) == 1_786_700
    assert split_at(10, 0.0) == 10


def fits(length: int, batch_size: int, seq_length: int, val_frac: float) -> bool:
    try:
        check_geometry(length, batch_size, seq_length, val_frac)
    except TextTooShort:
        return False
    return True


def parts(length: int, val_frac: float) -> list[int]:
    boundary = split_at(length, val_frac)
    return [boundary, length - boundary] if val_frac > 0 else [boundary]


@given(*GEOMETRY, VAL_FRACS)
def test_a_geometry_is_accepted_exactly_where_every_part_holds_a_batch(
    length: int, batch_size: int, seq_length: int, val_frac: float
) -> None:
    expected = all(batch_count(part, batch_size, seq_length) > 0 for part in parts(length, val_frac))
    assert fits(length, batch_size, seq_length, val_frac) == expected


@given(*GEOMETRY, VAL_FRACS)
def test_what_the_message_proposes_fits_and_one_more_does_not(
    length: int, batch_size: int, seq_length: int, val_frac: float
) -> None:
    assume(not fits(length, batch_size, seq_length, val_frac))
    with pytest.raises(TextTooShort) as caught:
        check_geometry(length, batch_size, seq_length, val_frac)
    message = str(caught.value)
    batches = re.findall(r"--batch-size (\d+) with --seq-length (\d+)", message)
    sequences = re.findall(r"--seq-length (\d+) with --batch-size (\d+)", message)
    assert len(batches + sequences) <= 2
    for batch, seq in [(int(b), int(s)) for b, s in batches] + [(int(b), int(s)) for s, b in sequences]:
        assert (batch, seq) != (batch_size, seq_length)
        assert batch <= batch_size
        assert seq <= seq_length
        assert fits(length, batch, seq, val_frac)
    for batch, seq in batches:
        assert not fits(length, int(batch) + 1, int(seq), val_frac)
    for seq, batch in sequences:
        assert not fits(length, int(batch), int(seq) + 1, val_frac)
    assert ("--val-frac 0" in message) == (val_frac > 0 and fits(length, batch_size, seq_length, 0.0))
    assert bool(batches or sequences) == (min(parts(length, val_frac)) > 0)
    assert "\n" not in message


@pytest.mark.parametrize(
    ("length", "batch_size", "seq_length", "val_frac", "advice"),
    [
        (50_000, 128, 100, 0.1, "--batch-size 50 with --seq-length 100, or --seq-length 39 with --batch-size 128; "),
        (50_000, 128, 100, 0.1, "or --val-frac 0 (no validation)"),
        (100, 20, 30, 0.1, "the largest that fits: --batch-size 1 with --seq-length 10"),
        (100, 10, 11, 0.0, "--batch-size 9 with --seq-length 11, or --seq-length 10 with --batch-size 10"),
        (5, 1, 5, 0.9, "try --val-frac 0 (no validation)"),
        (5, 2, 5, 0.9, "give a longer text"),
    ],
)
def test_the_message_says_what_fits(
    length: int, batch_size: int, seq_length: int, val_frac: float, advice: str
) -> None:
    with pytest.raises(TextTooShort) as caught:
        check_geometry(length, batch_size, seq_length, val_frac)
    assert advice in str(caught.value)

"""How a model of short lines is told from others."""

import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.short_lines import writes_short_lines
from tests.sampling.lines_model import lines_checkpoint
from tests.sampling.random_networks import TorchCharRNN


def short(checkpoint: Checkpoint) -> bool:
    return writes_short_lines(CharModel(checkpoint), checkpoint.vocabulary, checkpoint.facts)


@pytest.mark.parametrize(("length", "expected"), [(6, True), (24, True), (38, False)])
def test_the_length_of_lines_that_training_stored_decides(length: int, expected: bool) -> None:
    assert short(lines_checkpoint(median_line_length=length)) is expected
    assert short(lines_checkpoint(1 / 60, median_line_length=length)) is expected


def test_without_it_the_model_tells_by_what_it_writes() -> None:
    assert short(lines_checkpoint(1 / 6))
    assert not short(lines_checkpoint(1 / 60))


def test_a_model_that_writes_empty_lines_or_has_no_line_feed_writes_no_short_lines() -> None:
    often_empty = lines_checkpoint(1 / 6)
    often_empty.weights["fc.weight"][0, 0] = 0
    often_empty.weights["fc.bias"][0] = 0
    assert not short(often_empty)
    assert not short(TorchCharRNN(20, 8, 1).checkpoint())

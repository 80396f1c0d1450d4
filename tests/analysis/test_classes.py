"""Kinds of characters, their losses, and when they were learned."""

import numpy as np
import pytest

from charrnn_tui.analysis.classes import CLASSES, class_losses, classes_of, learned_at


def test_each_character_has_its_kind() -> None:
    kinds = [CLASSES[number] for number in classes_of('It\'s 2 "é".\n')]
    assert kinds == [
        *("capital", "inside", "quote", "first", "space", "digit", "space"),
        *("quote", "first", "quote", "other", "newline"),
    ]
    assert classes_of("").shape == (0,)


def test_the_loss_of_a_kind_is_the_mean_over_its_characters() -> None:
    losses = class_losses(classes_of("ab c"), np.array([1.0, 2.0, 3.0, 5.0]))
    assert losses == [3.0, None, 3.0, 2.0, None, None, None, None]


@pytest.mark.parametrize(
    ("losses", "step"),
    [([4.0, 3.0, 2.05, 2.0], 20), ([4.0, 2.0, 2.5], 10), ([2.0, 2.5], None), ([3.0], None), ([], None)],
)
def test_learned_is_when_nine_tenths_of_the_fall_are_done(losses: list[float], step: int | None) -> None:
    assert learned_at(range(0, 10 * len(losses), 10), losses) == step

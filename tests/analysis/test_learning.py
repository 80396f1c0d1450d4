"""What the models of a training lose, by kind of character."""

import numpy as np
import pytest

from charrnn_tui.analysis.learning import Learning


def test_the_losses_of_a_kind_are_those_of_its_characters_and_their_fall_says_when_it_was_learned() -> None:
    losses = np.array([[4, 4, 3, 3], [1, 4, 3, 1], [1, 4, 1, 1]], np.float32)  # of `b`, the space, `C`, and `d`
    learning = Learning("ab Cd", [0, 10, 20], losses)
    assert learning.totals == pytest.approx([3.5, 2.25, 1.75])
    kinds = dict(zip(learning.learned, zip(*learning.by_class, strict=True), strict=True))
    assert kinds["space"] == (4, 4, 4)
    assert kinds["capital"] == (3, 3, 1)
    assert kinds["inside"] == (3.5, 1, 1)
    assert kinds["digit"] == (None, None, None)
    learned = {name: step for name, step in learning.learned.items() if step is not None}
    assert learned == {"inside": 10, "capital": 20}

"""Surprises of a text beside plain loops over it."""

import numpy as np
import pytest

from charrnn_tui.analysis.surprise import APART, LINE_POSITIONS, WORD_POSITIONS, Group, Surprise, SurpriseReading
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.scoring import cross_entropy, sequence_losses
from charrnn_tui.text.batches import TextTooShort
from charrnn_tui.text.vocabulary import Vocabulary
from tests.cli.conftest import random_checkpoint, some_text

TEXT = some_text(500) + "\n\nExtraordinarily12a's\n" + "x" * 90 + "."


def surprise_of(text: str, losses: np.ndarray) -> Surprise:
    size = len(text) - 1
    return Surprise(text, losses, np.zeros(size, np.int64), np.zeros(size))


@pytest.fixture
def found() -> Surprise:
    return surprise_of(TEXT, np.random.default_rng(0).exponential(size=len(TEXT) - 1))


def means(names: tuple[str, ...], chosen: list[str | None], losses: np.ndarray) -> list[Group]:
    """chosen: of each character of the text the name of its group."""
    listed = []
    for name in names:
        of_name = [loss for group, loss in zip(chosen[1:], losses.tolist(), strict=True) if group == name]
        if of_name:
            listed.append(Group(name, len(of_name), pytest.approx(np.mean(of_name))))
    return listed


def named(number: int, names: tuple[str, ...]) -> str:
    """The range that a number lies in."""
    for name in names:
        low, _, high = name.rstrip("+").partition("–")
        if int(low) <= number and (name.endswith("+") or number <= int(high or low)):
            return name
    raise AssertionError(number)


def test_the_loss_by_the_position_in_a_word(found: Surprise) -> None:
    chosen, letters = [], 0
    for char in TEXT:
        letters = letters + 1 if char.isalpha() else 0
        chosen.append(named(letters, WORD_POSITIONS) if letters else None)
    assert found.by_word_position() == means(WORD_POSITIONS, chosen, found.losses)


def test_the_loss_by_the_position_in_a_line(found: Surprise) -> None:
    chosen, column = [], 0
    for char in TEXT:
        column += 1
        chosen.append(named(column, LINE_POSITIONS))
        column = 0 if char == "\n" else column
    assert found.by_line_position() == means(LINE_POSITIONS, chosen, found.losses)


def test_the_loss_by_kind_has_every_character_once(found: Surprise) -> None:
    groups = found.by_kind()
    assert sum(group.chars for group in groups) == len(TEXT) - 1
    assert sum(group.chars * group.loss for group in groups) == pytest.approx(found.losses.sum())


def test_the_worst_places_are_apart_the_largest_first(found: Surprise) -> None:
    places = found.worst(8)
    losses = [found.losses[place - 1] for place in places]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] == found.losses.max()
    assert min(abs(a - b) for a in places for b in places if a != b) >= APART
    kept: list[int] = []  # what would be listed by going through all of them
    for place in sorted(range(1, len(TEXT)), key=lambda place: -found.losses[place - 1]):
        if all(abs(place - other) >= APART for other in kept):
            kept.append(place)
    assert found.worst(8) == kept[:8]
    assert found.worst(10_000) == kept
    assert found.worst(0) == []


def test_a_text_is_read_as_score_reads_it() -> None:
    vocabulary = Vocabulary(sorted(set(TEXT)))
    model, ids = CharModel(random_checkpoint(vocabulary)), vocabulary.encode(TEXT)
    reading = SurpriseReading(model, ids, TEXT)
    assert sum(reading.run()) == len(TEXT) - 1
    found = reading.found
    assert found.losses.tolist() == np.concatenate(list(sequence_losses(model, ids))).tolist()
    (logits, _), *_ = model.forward(ids[:-1], chunk_rows=len(ids))
    assert found.losses == pytest.approx(cross_entropy(logits, ids[1:]), abs=1e-4)
    assert found.expected.tolist() == logits.argmax(axis=1).tolist()
    assert found.expected_losses == pytest.approx(cross_entropy(logits, found.expected), abs=1e-4)
    assert found.loss == pytest.approx(found.losses.mean())


def test_of_a_single_character_nothing_is_predicted() -> None:
    vocabulary = Vocabulary("ab")
    with pytest.raises(TextTooShort):
        list(SurpriseReading(CharModel(random_checkpoint(vocabulary)), vocabulary.encode("a"), "a").run())

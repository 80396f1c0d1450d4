"""What a model loses with a short memory, beside reading each context alone."""

import numpy as np
import pytest

from charrnn_tui.analysis.memory import STRIDE, MemoryStudy, influences
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.distribution import log_probabilities
from charrnn_tui.sampling.scoring import sequence_losses
from charrnn_tui.text.batches import TextTooShort
from charrnn_tui.text.vocabulary import Vocabulary
from tests.cli.conftest import random_checkpoint

VOCABULARY = Vocabulary("abcd ")
MODEL = CharModel(random_checkpoint(VOCABULARY, n_hidden=8, n_layers=2))
IDS = np.random.default_rng(1).integers(len(VOCABULARY), size=600).astype(VOCABULARY.dtype)


def test_differences_are_those_of_reading_each_context_alone() -> None:
    study = MemoryStudy(MODEL, IDS)
    assert sum(study.run()) == study.length
    whole = np.concatenate(list(sequence_losses(MODEL, IDS)))
    assert study.whole == pytest.approx(whole.mean())
    for each in study.losses:
        ends = [start + each.context for start in range(0, len(IDS) - 1, STRIDE) if start + each.context < len(IDS)]
        pieces = [next(sequence_losses(MODEL, IDS[end - each.context : end + 1])) for end in ends]
        alone = [float(piece[-1]) for piece in pieces]
        expected = np.mean([loss - whole[end - 1] for loss, end in zip(alone, ends, strict=True)])
        assert each.positions == len(ends)
        assert each.difference == pytest.approx(expected, abs=1e-5)
    assert [each.context for each in study.losses] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]


def test_a_text_of_one_character_has_no_loss() -> None:
    with pytest.raises(TextTooShort):
        list(MemoryStudy(MODEL, IDS[:1]).run())


def test_an_influence_is_how_much_the_distribution_changes_without_the_character() -> None:
    ids = IDS[:9]
    found = influences(MODEL, ids)

    def distribution(read: np.ndarray) -> np.ndarray:
        state = MODEL.initial_state()
        for token_id in read.tolist():
            logits, state = MODEL.step(token_id, state)
        return np.exp(log_probabilities(logits))

    for place in range(len(ids)):
        expected = np.abs(distribution(ids) - distribution(np.delete(ids, place))).sum() / 2
        assert found[place] == pytest.approx(expected, abs=1e-5)
    assert influences(MODEL, ids[:0]).shape == (0,)

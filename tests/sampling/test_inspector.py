from itertools import islice

import numpy as np
import pytest

from charrnn_tui.sampling.inspector import inspect_position
from charrnn_tui.sampling.lstm import CharLSTM
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.vocabulary import Vocabulary
from tests.sampling.random_networks import TorchCharRNN

VOCABULARY = Vocabulary("\n abcdehnst")
MODEL = CharLSTM(TorchCharRNN(len(VOCABULARY), 16, 2).checkpoint())
SETTINGS = SamplingSettings(temperature=0.8, top_k=4)


def test_a_written_character_is_found_again_as_it_was_when_it_was_written():
    written = list(islice(Sampler(MODEL, VOCABULARY, SETTINGS, seed=5, prime="the cat"), 30))
    ids = VOCABULARY.encode("the cat" + "".join(sampled.character for sampled in written))

    for offset, sampled in enumerate(written):
        inspection = inspect_position(MODEL, ids, len("the cat") + offset, SETTINGS)

        assert inspection.token_id == sampled.token_id
        assert inspection.rank == sampled.rank
        assert inspection.surprise_bits == sampled.surprise_bits
        assert inspection.entropy_bits == sampled.entropy_bits
        assert inspection.distribution.after_at(inspection.rank - 1) == sampled.chosen_probability


def test_a_stored_state_saves_the_way_from_the_start():
    ids = VOCABULARY.encode("the cat sat and ate the hat")
    state = MODEL.initial_state()
    for token_id in ids[:10].tolist():
        state = MODEL.advance(token_id, state)

    near = inspect_position(MODEL, ids, 15, state=state, state_position=10)

    np.testing.assert_array_equal(near.distribution.before, inspect_position(MODEL, ids, 15).distribution.before)


@pytest.mark.parametrize("position", [-1, 0, 7])
def test_a_position_that_nothing_foretells_is_refused(position):
    with pytest.raises(IndexError, match=f"position {position} is not between 1 and 6"):
        inspect_position(MODEL, VOCABULARY.encode("the cat"), position)

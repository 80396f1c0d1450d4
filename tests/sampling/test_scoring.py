import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy as torch_cross_entropy

from charrnn_tui.sampling.char_model import QUANTIZED_FROM, CharModel
from charrnn_tui.sampling.lstm_step import COMPILED
from charrnn_tui.sampling.scoring import batch_losses, cross_entropy, sequence_losses
from charrnn_tui.text.batches import TextTooShort, batch_count
from tests.compiled_needed import need
from tests.sampling.random_networks import TorchCharRNN, random_ids


def notebook_batches(arr, batch_size, seq_length):
    """The notebook's generator (cell 8), whose last target wraps by way of an IndexError."""
    arr = arr[: len(arr) // (batch_size * seq_length) * batch_size * seq_length].reshape((batch_size, -1))
    for n in range(0, arr.shape[1], seq_length):
        x = arr[:, n : n + seq_length]
        y = np.zeros_like(x)
        try:
            y[:, :-1], y[:, -1] = x[:, 1:], arr[:, n + seq_length]
        except IndexError:
            y[:, :-1], y[:, -1] = x[:, 1:], arr[:, 0]
        yield x, y


def notebook_losses(network, ids, batch_size, seq_length):
    hidden, losses = None, []
    for x, y in notebook_batches(ids, batch_size, seq_length):
        logits, hidden = network.logits(x, hidden)
        targets = torch.from_numpy(y.astype(np.int64)).reshape(-1)
        losses.append(torch_cross_entropy(logits.reshape(len(targets), -1), targets).item())
    return losses


@pytest.mark.parametrize(
    ("length", "batch_size", "seq_length"),
    [(600, 4, 25), (600, 4, 150), (637, 4, 25), (101, 1, 100), (40, 40, 1), (599, 7, 13), (5000, 33, 70), (1, 1, 1)],
)
def test_the_batched_score_is_the_notebooks_validation_loss(length, batch_size, seq_length):
    network = TorchCharRNN(23, 12, 2)
    ids = random_ids(length, 23)
    model = CharModel(network.checkpoint())
    expected = notebook_losses(network, ids, batch_size, seq_length)

    losses = list(batch_losses(model, ids, batch_size, seq_length))

    assert losses == pytest.approx(expected, abs=1e-4)
    assert len(losses) == batch_count(length, batch_size, seq_length)


@pytest.mark.parametrize("length", [2, 3, 500, 2049, 2050, 4500])
def test_a_whole_text_is_scored_in_one_pass_as_torch_does(length):
    network = TorchCharRNN(23, 12, 2)
    ids = random_ids(length, 23)
    logits, _ = network.logits(ids[np.newaxis, :-1])
    expected = torch_cross_entropy(logits[0], torch.from_numpy(ids[1:].astype(np.int64)), reduction="none").numpy()

    losses = np.concatenate(list(sequence_losses(CharModel(network.checkpoint()), ids)))

    assert losses.dtype == np.float64
    np.testing.assert_allclose(losses, expected, atol=1e-4)


def test_a_text_is_scored_in_pieces_that_can_be_counted():
    model = CharModel(TorchCharRNN(23, 4, 1).checkpoint())
    ids = random_ids(5000, 23)

    pieces = list(sequence_losses(model, ids))

    assert [len(piece) for piece in pieces] == [2048, 2048, 903]
    logits = np.concatenate([logits for logits, _ in model.forward(ids[:-1])])
    np.testing.assert_array_equal(np.concatenate(pieces), cross_entropy(logits, ids[1:]))


def test_compiled_steps_score_a_large_model_as_products_do():
    need(COMPILED)
    model, ids = CharModel(TorchCharRNN(23, QUANTIZED_FROM, 2).checkpoint()), random_ids(2100, 23)
    assert model.runs_compiled
    logits = np.concatenate([logits for logits, _ in model.forward(ids[:-1])])

    pieces = list(sequence_losses(model, ids))

    assert [len(piece) for piece in pieces] == [2048, 51]
    np.testing.assert_allclose(np.concatenate(pieces), cross_entropy(logits, ids[1:]), atol=2e-3)


def test_an_alphabet_of_one_holds_no_surprise():
    model = CharModel(TorchCharRNN(1, 1, 1).checkpoint())

    assert np.concatenate(list(sequence_losses(model, random_ids(10, 1)))).tolist() == [0] * 9


@pytest.mark.parametrize("length", [0, 1])
def test_a_text_with_nothing_to_predict_is_too_short(length):
    model = CharModel(TorchCharRNN(23, 4, 1).checkpoint())

    with pytest.raises(TextTooShort, match=f"scoring needs 2 characters, it has {length}"):
        next(sequence_losses(model, random_ids(length, 23)))


def test_a_text_shorter_than_a_batch_is_too_short():
    model = CharModel(TorchCharRNN(23, 4, 1).checkpoint())

    with pytest.raises(TextTooShort, match="it has 99 characters, one batch of 4 × 25 needs 100"):
        next(batch_losses(model, random_ids(99, 23), 4, 25))


@pytest.mark.parametrize(("batch_size", "seq_length"), [(0, 10), (10, 0), (-1, -1)])
def test_a_batch_that_holds_nothing_is_refused(batch_size, seq_length):
    model = CharModel(TorchCharRNN(23, 4, 1).checkpoint())

    with pytest.raises(ValueError, match="both must be 1 or more"):
        next(batch_losses(model, random_ids(99, 23), batch_size, seq_length))

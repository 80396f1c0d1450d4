import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn_tui.sampling.char_model import CharModel, HiddenState
from tests.sampling.random_networks import TorchCharRNN, checkpoint_of, random_ids

SIZES = [(1, 1, 1), (1, 4, 2), (2, 1, 3), (5, 3, 1), (83, 64, 2), (200, 17, 3), (3, 40, 4)]


def whole_text(
    model: CharModel, ids: NDArray[np.integer], state: HiddenState | None = None
) -> tuple[np.ndarray, HiddenState]:
    """All logits, (T, V) or (B, T, V), and the state at the end."""
    chunks = list(model.forward(ids, state))
    return np.concatenate([logits for logits, _ in chunks], axis=-2), chunks[-1][1]


def close(ours: np.ndarray, theirs: np.ndarray) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize(("n_tokens", "n_hidden", "n_layers"), SIZES)
def test_a_whole_text_gives_the_logits_and_the_state_that_torch_gives(n_tokens, n_hidden, n_layers):
    torch_net = TorchCharRNN(n_tokens, n_hidden, n_layers)
    ids = random_ids(60, n_tokens)
    expected, (h, c) = torch_net.logits(ids[np.newaxis])

    logits, state = whole_text(CharModel(torch_net.checkpoint()), ids)

    close(logits, expected[0].numpy())
    close(state.h, h[:, 0].numpy())
    close(state.c, c[:, 0].numpy())


@pytest.mark.parametrize(("n_tokens", "n_hidden", "n_layers"), SIZES)
def test_step_by_step_gives_what_the_whole_text_gives(n_tokens, n_hidden, n_layers):
    model = CharModel(TorchCharRNN(n_tokens, n_hidden, n_layers).checkpoint())
    ids = random_ids(40, n_tokens)
    state, rows = model.initial_state(), []
    for token_id in ids.tolist():
        logits, state = model.step(token_id, state)
        rows.append(logits)

    whole, after = whole_text(model, ids)

    close(np.array(rows), whole)
    close(state.h, after.h)
    close(state.c, after.c)


@pytest.mark.parametrize(("n_tokens", "n_hidden", "n_layers"), SIZES)
@pytest.mark.parametrize("batch_size", [1, 7])
def test_several_texts_at_once_give_what_each_gives_alone(n_tokens, n_hidden, n_layers, batch_size):
    model = CharModel(TorchCharRNN(n_tokens, n_hidden, n_layers).checkpoint())
    ids = random_ids(batch_size * 20, n_tokens).reshape(batch_size, 20)

    together, state = whole_text(model, ids)
    stepped = model.initial_state(batch_size)
    for column in ids.T:
        last, stepped = model.step(column, stepped)

    assert together.shape == (batch_size, 20, n_tokens)
    close(last, together[:, -1])
    close(stepped.c, state.c)
    for row in range(batch_size):
        alone, alone_state = whole_text(model, ids[row])
        close(together[row], alone)
        close(state.h[:, row], alone_state.h)


@pytest.mark.parametrize("shape", [(50,), (3, 50)])
@pytest.mark.parametrize("chunk_rows", [1, 7, 50, 1000])
def test_pieces_of_any_size_make_up_the_whole(shape, chunk_rows):
    model = CharModel(TorchCharRNN(11, 6, 3).checkpoint())
    ids = random_ids(int(np.prod(shape)), 11).reshape(shape)

    pieces = list(model.forward(ids, chunk_rows=chunk_rows))

    whole, state = whole_text(model, ids)
    close(np.concatenate([logits for logits, _ in pieces], axis=-2), whole)
    close(pieces[-1][1].h, state.h)


def test_a_text_read_in_two_parts_gives_what_it_gives_in_one():
    model = CharModel(TorchCharRNN(11, 6, 2).checkpoint())
    ids = random_ids(30, 11)

    first, between = whole_text(model, ids[:13])
    second, _ = whole_text(model, ids[13:], between)

    close(np.concatenate([first, second]), whole_text(model, ids)[0])


def test_an_empty_text_has_no_logits():
    model = CharModel(TorchCharRNN(11, 6, 2).checkpoint())
    assert list(model.forward(random_ids(0, 11))) == []


def test_a_state_is_never_written_to():
    model = CharModel(TorchCharRNN(11, 6, 2).checkpoint())
    state = whole_text(model, random_ids(5, 11))[1]
    h, c = state.h.copy(), state.c.copy()

    model.step(3, state)
    whole_text(model, random_ids(9, 11), state)

    np.testing.assert_array_equal(state.h, h)
    np.testing.assert_array_equal(state.c, c)


def test_a_state_of_another_number_of_texts_is_refused():
    model = CharModel(TorchCharRNN(11, 6, 2).checkpoint())

    with pytest.raises(ValueError, match=r"shape \(2, 4, 6\), these ids need \(2, 6\)"):
        whole_text(model, random_ids(5, 11), model.initial_state(4))


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_weights_of_another_precision_are_read_as_float32(dtype):
    weights = {name: tensor.astype(dtype) for name, tensor in TorchCharRNN(11, 6, 2).weights().items()}
    ids = random_ids(20, 11)

    logits, state = whole_text(CharModel(checkpoint_of(weights)), ids)

    rounded = CharModel(checkpoint_of({name: tensor.astype(np.float32) for name, tensor in weights.items()}))
    assert logits.dtype == state.h.dtype == np.float32
    np.testing.assert_array_equal(logits, whole_text(rounded, ids)[0])


def test_the_weights_given_are_neither_changed_nor_kept():
    weights = TorchCharRNN(11, 6, 2).weights()
    before = {name: tensor.copy() for name, tensor in weights.items()}

    model = CharModel(checkpoint_of(weights))
    logits = whole_text(model, random_ids(5, 11))[0]

    for name, tensor in weights.items():
        np.testing.assert_array_equal(tensor, before[name])
        tensor[...] = 0  # a training goes on in the same memory
    np.testing.assert_array_equal(whole_text(model, random_ids(5, 11))[0], logits)


def test_saturated_gates_neither_overflow_nor_warn():
    weights = {name: tensor * 1e4 for name, tensor in TorchCharRNN(11, 6, 2).weights().items()}

    logits, _ = whole_text(CharModel(checkpoint_of(weights)), random_ids(20, 11))

    assert np.isfinite(logits).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_model_that_diverged_is_refused(bad):
    weights = TorchCharRNN(11, 6, 2).weights()
    weights["lstm.weight_hh_l1"][2, 3] = bad

    with pytest.raises(ValueError, match=r"'lstm.weight_hh_l1' holds NaN or infinite"):
        CharModel(checkpoint_of(weights))

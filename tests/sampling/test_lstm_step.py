"""The compiled step writes what NumPy writes, and without a compiler NumPy writes it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from charrnn_tui.native.library import SWITCH
from charrnn_tui.sampling.char_model import QUANTIZED_FROM, CharModel, HiddenState
from charrnn_tui.sampling.lstm_step import COMPILED, OPTIONS, SOURCE, CompiledStep, QuantizedMatrix
from tests.compiled_needed import need
from tests.sampling.random_networks import TorchCharRNN, checkpoint_of, random_ids

Outcome = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture
def compiled() -> None:
    need(COMPILED)


@pytest.fixture
def numpy_only(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def leave_it() -> None:
        monkeypatch.setattr(CompiledStep, "run", lambda *_, **__: None)

    return leave_it


def network(n_tokens: int = 30, n_hidden: int = QUANTIZED_FROM, n_layers: int = 2) -> CharModel:
    return CharModel(TorchCharRNN(n_tokens, n_hidden, n_layers).checkpoint())


def written(model: CharModel, length: int = 40) -> Outcome:
    state, rows = model.initial_state(), []
    for token_id in random_ids(length, model.n_tokens).tolist():
        logits, state = model.step(token_id, state)
        rows.append(logits)
    return np.array(rows), state.h, state.c


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize(("n_tokens", "n_hidden", "n_layers"), [(83, 256, 2), (1, 260, 1), (200, 333, 3), (64, 256, 4)])
def test_logits_and_states_are_numpy_s_and_those_of_torch(
    n_tokens: int, n_hidden: int, n_layers: int, numpy_only: Callable[[], None]
) -> None:
    torch_net = TorchCharRNN(n_tokens, n_hidden, n_layers)
    model = CharModel(torch_net.checkpoint())
    ours = written(model)
    ahead = model.initial_state()
    for token_id in random_ids(40, n_tokens).tolist():
        ahead = model.advance(token_id, ahead)
    np.testing.assert_array_equal(ahead.h, ours[1])
    numpy_only()
    for mine, numpy_s in zip(ours, written(model), strict=True):
        assert mine.dtype == np.float32
        np.testing.assert_allclose(mine, numpy_s, rtol=0, atol=2e-4)
    expected, _ = torch_net.logits(random_ids(40, n_tokens)[np.newaxis])
    before, after = (np.exp(logits - logits.max(1, keepdims=True)) for logits in (expected[0].numpy(), ours[0]))
    moved = np.abs(before / before.sum(1, keepdims=True) - after / after.sum(1, keepdims=True)).sum(1) / 2
    assert moved.max() < 1e-4  # in total variation, by the 14 bits of the weights, the 15 of h


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("texts", [1, 2, 7])
def test_a_text_among_others_gets_the_very_numbers_that_it_gets_alone(
    texts: int, numpy_only: Callable[[], None]
) -> None:
    model, ids = network(n_tokens=83, n_hidden=261, n_layers=3), random_ids(40 * texts, 83).reshape(40, texts)
    together = model.initial_state(texts)
    alone = [model.initial_state() for _ in range(texts)]
    for row in ids:
        logits, together = model.step(row, together)
        for text, token_id in enumerate(row.tolist()):
            expected, alone[text] = model.step(token_id, alone[text])
            np.testing.assert_array_equal(logits[text], expected)
            np.testing.assert_array_equal(together.h[:, text], alone[text].h)
            np.testing.assert_array_equal(together.c[:, text], alone[text].c)
    numpy_only()
    numpy_s = model.initial_state(texts)
    for row in ids:
        expected, numpy_s = model.step(row, numpy_s)
    np.testing.assert_allclose(logits, expected, rtol=0, atol=2e-4)


@pytest.mark.usefixtures("compiled")
def test_what_is_no_number_loses_its_own_text_only() -> None:
    model = network()
    sound = HiddenState(*np.full((2, 2, 3, QUANTIZED_FROM), 0.5, np.float32))
    expected, expected_after = model.step(np.array([1, 2, 3]), sound)
    h = sound.h.copy()
    h[1, 1, 7] = np.nan
    logits, after = model.step(np.array([1, 2, 3]), HiddenState(h, sound.c))
    np.testing.assert_array_equal(np.isnan(logits).all(1), [False, True, False])
    np.testing.assert_array_equal(logits[[0, 2]], expected[[0, 2]])
    np.testing.assert_array_equal(after.h[:, [0, 2]], expected_after.h[:, [0, 2]])
    lost = HiddenState(after.h[:, 1], after.c[:, 1])
    assert np.isnan(model.step(4, lost)[0]).all()
    assert np.isnan(model.step(2, HiddenState(h[:, 1], sound.c[:, 1]))[0]).all()


@pytest.mark.usefixtures("compiled")
def test_many_texts_at_once_do_not_get_into_each_other_s_way() -> None:
    models = [network(n_tokens=tokens) for tokens in (30, 64, 100)]
    alone = [written(model, 150) for model in models]
    with ThreadPoolExecutor(6) as pool:
        for found, expected in zip(pool.map(lambda model: written(model, 150), models * 2), alone * 2, strict=True):
            for mine, theirs in zip(found, expected, strict=True):
                np.testing.assert_array_equal(mine, theirs)


@pytest.mark.usefixtures("compiled")
def test_a_state_that_is_given_is_not_written_into_and_may_lie_anywhere() -> None:
    model = network()
    rng = np.random.default_rng(0)
    many = HiddenState(*np.tanh(rng.normal(size=(2, 2, 5, QUANTIZED_FROM))).astype(np.float32))
    one = HiddenState(many.h[:, 3], many.c[:, 3])  # one of several texts: not contiguous
    before = one.h.copy(), one.c.copy()
    logits, after = model.step(7, one)
    before[0].setflags(write=False)
    np.testing.assert_array_equal(model.step(7, HiddenState(*before))[0], logits)
    np.testing.assert_array_equal(one.h, before[0])
    np.testing.assert_array_equal(one.c, before[1])
    expected, expected_after = model.step(np.full(5, 7), many)
    np.testing.assert_array_equal(logits, expected[3])
    np.testing.assert_array_equal(after.c, expected_after.c[:, 3])
    assert np.isfinite(logits).all()


@pytest.mark.usefixtures("compiled")
def test_a_character_outside_the_alphabet_is_refused() -> None:
    model = network()
    for token_id in (30, -1):
        with pytest.raises(IndexError):
            model.step(token_id, model.initial_state())
        with pytest.raises(IndexError):
            model.step(np.array([3, token_id]), model.initial_state(2))


def test_who_writes_a_text_waits_for_the_library_where_it_is_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[bool] = []
    monkeypatch.setattr(COMPILED, "wait", lambda: waited.append(True))
    network(n_hidden=QUANTIZED_FROM - 1).wait_for_compiled_code()
    assert not waited
    network().wait_for_compiled_code()
    assert waited


def test_small_networks_are_as_they_are() -> None:
    weights = TorchCharRNN(30, QUANTIZED_FROM - 1, 1).weights()
    model = CharModel(checkpoint_of(weights))
    assert not model.runs_compiled
    logits, state = model.step(np.arange(30), model.initial_state(30))
    output = np.ascontiguousarray(weights["fc.weight"].T)
    np.testing.assert_array_equal(logits, state.h[-1] @ output + weights["fc.bias"])


def test_a_matrix_is_rounded_to_half_a_step_of_each_column() -> None:
    matrix = np.random.default_rng(0).normal(size=(50, 70)).astype(np.float32)
    matrix[:, 3] = 0
    matrix[:, 4] *= 1e-20
    rounded = QuantizedMatrix(matrix)
    assert rounded.matrix.dtype == np.float32
    assert (np.abs(rounded.matrix - matrix) <= np.abs(matrix).max(0) / 8_191 * 0.501).all()
    again = QuantizedMatrix(rounded.matrix)
    np.testing.assert_allclose(again.matrix, rounded.matrix, rtol=1e-6)


INSTRUCTIONS = {"those of every processor": (), "AVX2": ("-mavx2", "-mfma"), "all of this one": ("-march=native",)}
WRITE_WITH = """
import ctypes, sys
from charrnn_tui.sampling import lstm_step
from tests.sampling.test_lstm_step import network, written
lstm_step.COMPILED.use(ctypes.CDLL(sys.argv[1]))
sys.stdout.buffer.write(b"".join(figures.tobytes() for figures in written(network(n_tokens=83, n_layers=3))))
"""


@pytest.mark.usefixtures("compiled")
def test_every_processor_writes_the_same_bits(tmp_path: Path) -> None:
    texts = {}
    for name, options in INSTRUCTIONS.items():
        library = str(tmp_path / f"{len(texts)}.so")
        command = ["cc", "-O3", "-fPIC", "-shared", *OPTIONS, *options, str(SOURCE), "-o", library]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            continue  # another kind of processor
        alone = os.environ | {SWITCH: "0"}
        done = subprocess.run([sys.executable, "-c", WRITE_WITH, library], env=alone, capture_output=True, check=False)
        if done.returncode != -signal.SIGILL:  # an older processor
            texts[name] = done.stdout
    assert len(texts) >= 2
    assert len(set(texts.values())) == 1, texts.keys()
    assert len(next(iter(texts.values()))) > 10_000


PROGRAM = """
from tests.sampling.test_lstm_step import COMPILED, network, written
found, model = COMPILED.wait(), network()
print(found, float(written(model)[0].sum()))
"""


def outcome(**environment: str) -> list[str]:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("without", [{"CC": "no-such-compiler"}, {"CC": "false"}, {"CHARRNN_TUI_COMPILE": "0"}])
def test_without_a_compiler_numpy_writes(without: dict[str, str], tmp_path: Path) -> None:
    found, total = outcome(XDG_CACHE_HOME=str(tmp_path), HOME=str(tmp_path), **without)
    assert found == "False"
    assert float(total) == pytest.approx(written(network())[0].sum(), abs=0.1)

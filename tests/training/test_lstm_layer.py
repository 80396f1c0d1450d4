"""The layers of our own compute what torch.nn.LSTM computes; where they cannot be compiled, PyTorch's train."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor

from charrnn_tui.training.learner import Learner
from charrnn_tui.training.lstm_cell import compiled_cell
from charrnn_tui.training.lstm_layer import lstm_layer
from charrnn_tui.training.model import CharRNN, Layers
from tests.training.small_trainings import small_corpus, small_settings

needs_compiler = pytest.mark.skipif(compiled_cell().library is None, reason=compiled_cell().description)
SEQ, BATCH, TOKENS = 13, 7, 11


class DrawsAlike(CharRNN):
    """Dropout draws the same numbers in both types."""

    def draws_fast(self, dtype: torch.dtype) -> bool:
        return False


def outcome(model: CharRNN, ids: Tensor, kind: torch.dtype) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Logits, state and gradients of a sum over them that weighs each logit otherwise."""
    torch.manual_seed(1)
    hidden = (torch.randn(model.n_layers, BATCH, model.n_hidden), torch.randn(model.n_layers, BATCH, model.n_hidden))
    logits, state = model(ids, hidden, kind)
    weights = torch.randn(logits.shape)
    return (
        logits.detach().float(),
        list(state),
        list(torch.autograd.grad((logits.float() * weights).sum(), model.parameters())),
    )


@needs_compiler
@pytest.mark.parametrize(("kind", "tolerance"), [(torch.float32, 3e-6), (torch.bfloat16, 2e-2)], ids=str)
@pytest.mark.parametrize(
    ("n_hidden", "n_layers", "drop_prob", "weight_drop"),
    [(24, 2, 0.0, 0.0), (37, 3, 0.4, 0.0), (1, 1, 0.0, 0.0), (16, 1, 0.5, 0.0), (24, 2, 0.0, 0.3), (96, 2, 0.0, 0.0)],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_outputs_state_and_gradients_are_those_of_nn_lstm_in_float32(
    kind: torch.dtype,
    tolerance: float,
    n_hidden: int,
    n_layers: int,
    drop_prob: float,
    weight_drop: float,
    threads: int,
) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    ids, model = torch.randint(TOKENS, (SEQ, BATCH)), DrawsAlike(TOKENS, n_hidden, n_layers, drop_prob, weight_drop)
    assert model.layers is Layers.OURS
    ours = outcome(model, ids, kind)
    model.forced_layers = Layers.PYTORCH
    theirs = outcome(model, ids, torch.float32)
    torch.set_num_threads(1)
    for mine, reference in zip([ours[0], *ours[1], *ours[2]], [theirs[0], *theirs[1], *theirs[2]], strict=True):
        assert mine.dtype == reference.dtype == torch.float32
        assert float((mine - reference).abs().max()) <= tolerance * max(1.0, float(reference.abs().max()))


@needs_compiler
def test_a_layer_s_gradients_are_the_differences_of_its_outputs() -> None:
    torch.manual_seed(0)
    n = 3
    weights = [torch.randn(4 * n, shape) if shape else torch.randn(4 * n) for shape in (5, n, 0, 0)]
    x, state, up = torch.randn(4, 2, 5), (torch.randn(2, n), torch.randn(2, n)), torch.randn(4, 2, n)

    def value(x: Tensor, *weights: Tensor) -> Tensor:
        return (lstm_layer(x, state, weights, torch.float32)[0] * up).sum()

    leaves = [tensor.requires_grad_() for tensor in (x, *weights)]
    for place, gradient in enumerate(torch.autograd.grad(value(*leaves), leaves)):
        step = torch.zeros(leaves[place].shape)
        step.view(-1)[1] = 1e-2
        moved = [[t + sign * step if n == place else t for n, t in enumerate(leaves)] for sign in (1, -1)]
        slope = float((value(*moved[0]) - value(*moved[1])).detach() / 2e-2)
        assert slope == pytest.approx(float(gradient.reshape(-1)[1]), rel=1e-2, abs=1e-3)


@needs_compiler
def test_tensors_serve_again_only_after_the_backward_pass() -> None:
    torch.manual_seed(0)
    model, (first, second) = CharRNN(TOKENS, 24, 2, 0.0), torch.randint(TOKENS, (2, SEQ, BATCH))
    hidden = model.init_hidden(BATCH)

    def gradients(*texts: Tensor) -> list[Tensor]:
        """Of a sum over all logits; every forward pass comes before the first backward pass."""
        losses = [model(ids, hidden)[0].square().sum() for ids in texts]
        return list(torch.autograd.grad(losses, model.parameters()))

    apart = [gradients(first), gradients(second), gradients(first)]
    for both, *single in zip(gradients(first, second), *apart[:2], strict=True):
        torch.testing.assert_close(both, sum(single))
    with torch.inference_mode():  # a validation's tensors serve in training, too
        expected = model(first, hidden)[0].clone()
    assert all(torch.equal(one, again) for one, again in zip(apart[2], gradients(first), strict=True))
    torch.testing.assert_close(model(first, hidden)[0], expected)


@needs_compiler
def test_float32_draws_dropout_as_pytorch_unless_that_is_not_asked_for() -> None:
    torch.manual_seed(0)
    ids = torch.randint(TOKENS, (SEQ, BATCH))
    exact, fast = CharRNN(TOKENS, 16, 2), CharRNN(TOKENS, 16, 2, exact_dropout=False)
    fast.load_state_dict(exact.state_dict())

    def logits(model: CharRNN, layers: Layers | None = None) -> Tensor:
        torch.manual_seed(1)
        model.forced_layers = layers
        return model(ids, model.init_hidden(BATCH))[0].detach()

    torch.testing.assert_close(logits(exact), logits(exact, Layers.PYTORCH))
    assert not torch.allclose(logits(fast), logits(exact), atol=1e-3)


@needs_compiler
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16], ids=str)
def test_what_is_not_a_number_stays_so(kind: torch.dtype) -> None:
    model = CharRNN(TOKENS, 8, 2, 0.0)
    with torch.no_grad():
        model.lstm.weight_hh_l0[3, 5] = torch.nan
    hidden = (torch.ones(2, BATCH, 8), torch.ones(2, BATCH, 8))
    logits, _ = model(torch.zeros(SEQ, BATCH, dtype=torch.int64), hidden, kind)
    assert logits.isnan().all()


def test_a_wide_alphabet_is_looked_up_and_never_multiplied(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    ids, model = torch.randint(50, (SEQ, BATCH)), CharRNN(50, 8, 2, 0.0)  # 50 characters, 32 gates
    hidden = model.init_hidden(BATCH)
    expected, _ = model.lstm(F.one_hot(ids, 50).float(), hidden)
    monkeypatch.delattr(F, "one_hot")
    for layers in (model.layers, Layers.PYTORCH):
        model.forced_layers = layers
        torch.testing.assert_close(model(ids, hidden)[0], model.fc(expected.reshape(-1, 8)), rtol=1e-4, atol=1e-5)


def test_a_training_without_a_compiler_is_the_same_training() -> None:
    def losses(layers: Layers | None) -> list[float]:
        learner = Learner(small_settings(drop_prob=0.3), small_corpus())
        learner.model.forced_layers = layers
        return [learner.learn().loss for _ in range(12)] + [learner.validate()[0]]

    ours = losses(None)
    assert losses(Layers.PYTORCH) == pytest.approx(ours, abs=1e-4)


@pytest.mark.parametrize(
    ("compiler", "words"),
    [
        ("no-such-compiler", "no C compiler found"),
        ("false", "made no library that works"),
        ("broken", "made no library"),
    ],
)
def test_a_compiler_that_does_not_work_costs_nothing_but_speed(compiler: str, words: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken"  # says that all is well, and writes nonsense
    broken.write_text('#!/bin/sh\nfor last; do :; done\necho nonsense > "$last"\n')
    broken.chmod(0o755)
    environment = {"CC": str(broken) if compiler == "broken" else compiler, "XDG_CACHE_HOME": str(tmp_path)}
    assert words in words_of_a_process(environment | {"HOME": str(tmp_path)})


def test_the_compiler_can_be_left_alone() -> None:
    assert "off by CHARRNN_TUI_COMPILE=0" in words_of_a_process({"CHARRNN_TUI_COMPILE": "0"})


def words_of_a_process(environment: dict[str, str]) -> str:
    code = "from charrnn_tui.training.lstm_cell import compiled_cell; print(compiled_cell().description)"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True).stdout

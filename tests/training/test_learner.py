"""The mathematics: step by step what the notebook computes; schedules, biases, places."""

import math
import weakref
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from charrnn_tui.checkpoint.checkpoint import tensor_shapes
from charrnn_tui.native.cores import available_cores
from charrnn_tui.run.settings import SettingsError, TrainSettings
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.scoring import batch_losses
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.training.device_queue import DeviceQueue, Mark
from charrnn_tui.training.devices import fastest, place
from charrnn_tui.training.learner import Cancelled, Learner
from charrnn_tui.training.model import CharRNN, Layers
from charrnn_tui.training.schedule import FLOOR, learning_rate
from tests.sampling.random_networks import checkpoint_of
from tests.text.notebook_batches import notebook_batches
from tests.training.small_trainings import small_corpus, small_settings

pytestmark = pytest.mark.filterwarnings("ignore:dropout option adds dropout after all but last")  # as the notebook's


class NotebookNet(nn.Module):
    """Cell 12: layers made in the same order, one-hot input made outside."""

    def __init__(self, tokens: int, settings: TrainSettings) -> None:
        super().__init__()
        self.lstm = nn.LSTM(tokens, settings.n_hidden, settings.n_layers, dropout=settings.drop_prob, batch_first=True)
        self.dropout = nn.Dropout(settings.drop_prob)
        self.fc = nn.Linear(settings.n_hidden, tokens)

    def forward(self, x: Tensor, hidden: Any) -> tuple[Tensor, Any]:
        out, hidden = self.lstm(x, hidden)
        return self.fc(self.dropout(out).reshape(-1, out.shape[-1])), hidden


def notebook_losses(settings: TrainSettings, corpus: Corpus) -> Iterator[tuple[float, float | None]]:
    """Cell 30: the loss of each step, and every `print_every` steps the validation loss."""
    tokens, ids = len(corpus.vocabulary), corpus.ids.astype(np.int64)
    torch.manual_seed(settings.seed)
    net, criterion = NotebookNet(tokens, settings), nn.CrossEntropyLoss()
    adam = torch.optim.Adam(net.parameters(), lr=settings.lr)
    boundary = int(len(ids) * (1 - settings.val_frac))
    one_hot, step = torch.eye(tokens), 0

    def zeros() -> Any:
        return tuple(torch.zeros(settings.n_layers, settings.batch_size, settings.n_hidden) for _ in "hc")

    def loss_of(x: Any, y: Any, hidden: Any) -> tuple[Tensor, Any]:
        out, hidden = net(one_hot[torch.from_numpy(x)], tuple(state.detach() for state in hidden))
        return criterion(out, torch.from_numpy(y).reshape(-1)), hidden

    for _ in range(settings.epochs):
        hidden = zeros()
        for x, y in notebook_batches(ids[:boundary], settings.batch_size, settings.seq_length):
            net.zero_grad()
            loss, hidden = loss_of(x, y, hidden)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), settings.clip)
            adam.step()
            step, val_loss = step + 1, None
            if step % settings.print_every == 0:
                net.eval()
                val_hidden, val_losses = zeros(), []
                for val_x, val_y in notebook_batches(ids[boundary:], settings.batch_size, settings.seq_length):
                    val, val_hidden = loss_of(val_x, val_y, val_hidden)
                    val_losses.append(val.item())
                net.train()
                val_loss = float(np.mean(val_losses))
            yield loss.item(), val_loss


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"clip": 0.05},
        {"n_layers": 1, "batch_size": 3, "seq_length": 7, "print_every": 5},
        {"drop_prob": 0.5},
        {"n_layers": 1, "drop_prob": 0.3},
    ],
    ids=str,
)
def test_losses_are_the_notebook_s_step_by_step(changes: dict[str, Any]) -> None:
    settings, corpus = small_settings(epochs=4, val_frac=0.3, **changes), small_corpus()
    learner = Learner(settings, corpus)
    assert learner.steps > 24
    expected = list(notebook_losses(settings, corpus))
    learner = Learner(settings, corpus)  # dropout draws from the one generator: it starts anew
    assert len(expected) == learner.steps
    for loss, val_loss in expected:
        assert learner.learn().loss == pytest.approx(loss, abs=1e-5)
        if val_loss is not None:
            assert learner.validate()[0] == pytest.approx(val_loss, abs=1e-5)


@pytest.mark.parametrize(("n_hidden", "n_layers"), [(5, 1), (8, 2), (4, 4)])
def test_the_same_seed_gives_the_notebook_s_first_weights(n_hidden: int, n_layers: int) -> None:
    settings, corpus = small_settings(n_hidden=n_hidden, n_layers=n_layers, drop_prob=0.5), small_corpus()
    ours = Learner(settings, corpus).weights()
    torch.manual_seed(settings.seed)
    theirs = NotebookNet(len(corpus.vocabulary), settings).state_dict()
    assert list(ours) == list(theirs) == list(tensor_shapes(len(corpus.vocabulary), n_hidden, n_layers))
    for name, tensor in theirs.items():
        assert ours[name].dtype == np.float32
        np.testing.assert_array_equal(ours[name], tensor.numpy())


def test_the_same_seed_gives_the_same_losses_and_another_gives_others() -> None:
    def losses(seed: int) -> list[float]:
        learner = Learner(small_settings(seed=seed, drop_prob=0.5), small_corpus())
        return [learner.learn().loss for _ in range(6)]

    assert losses(1) == losses(1) != losses(2)


def test_dropout_acts_in_training_only() -> None:
    learner = Learner(small_settings(drop_prob=0.9, lr=1e-9), small_corpus())
    assert learner.validate()[0] == learner.validate()[0]
    first = learner.learn()
    learner.step = 0  # the same batch again, by weights that have hardly moved
    assert abs(learner.learn().loss - first.loss) > 1e-4
    assert learner.model.training


def test_a_step_that_is_not_finite_changes_nothing() -> None:
    learner = Learner(small_settings(), small_corpus())
    learner.learn()
    before, good = learner.weights(), learner.loss
    learner.criterion.forward = lambda *_: torch.tensor(math.nan, requires_grad=True)  # type: ignore[method-assign]  # the accident
    done = learner.learn()
    assert math.isnan(done.loss)
    assert (learner.step, learner.loss) == (1, good)
    assert all((before[name] == tensor).all() for name, tensor in learner.weights().items())


@pytest.mark.parametrize("calls", [1, 20, 40, 55])  # in 15 time steps, 2 layers, forward and backward
def test_a_step_given_up_anywhere_changes_nothing(calls: int) -> None:
    settings, corpus = small_settings(drop_prob=0.5), small_corpus()
    expected = [Learner(settings, corpus).learn().loss]
    learner, asked = Learner(settings, corpus), iter(range(10_000))
    if learner.model.layers is not Layers.OURS:
        pytest.skip("PyTorch's layers compute a step in one piece")
    learner.check_seconds, learner.cancelled = 0.0, lambda: next(asked) >= calls
    with pytest.raises(Cancelled):
        learner.learn()
    assert (learner.step, learner.queued) == (0, 0)
    learner.cancelled = lambda: False
    assert [learner.learn().loss] == expected


def test_weights_handed_out_are_a_copy() -> None:
    learner = Learner(small_settings(), small_corpus())
    before = learner.weights()
    kept = {name: tensor.copy() for name, tensor in before.items()}
    learner.learn()
    assert all((kept[name] == tensor).all() for name, tensor in before.items())
    assert any((kept[name] != tensor).any() for name, tensor in learner.weights().items())


def test_epochs_and_seconds_are_told_with_each_step() -> None:
    learner = Learner(small_settings(), small_corpus())
    events = [learner.learn() for _ in range(learner.steps)]
    assert [event.step for event in events] == list(range(1, 19))
    assert [event.epoch for event in events] == [1] * 9 + [2] * 9
    seconds = [event.train_seconds for event in events]
    assert seconds == sorted(seconds)
    assert events[-1].eta_seconds == 0.0
    assert events[0].eta_seconds is not None
    assert all(event.chars_per_second > 0 for event in events)


def test_validation_counts_as_training_time_and_is_foreseen() -> None:
    seconds = iter([0.0, 1000.0])
    learner = Learner(small_settings(print_every=1), small_corpus(), clock=lambda: next(seconds))
    learner.learn()
    before = learner.train_seconds
    assert learner.validate()[1] == 1000.0
    assert learner.train_seconds == pytest.approx(before + 1000.0)
    eta = learner.learn().eta_seconds
    assert eta == pytest.approx(16 * 1000.0, rel=0.01)


class ScriptedMark:
    """A mark that another one follows after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def synchronize(self) -> None:
        pass

    def elapsed_time(self, later: "ScriptedMark") -> float:
        return 1000 * later.seconds


class ScriptedQueue(DeviceQueue):
    """Its steps take one second each, but for the eighth, which takes sixty."""

    def __init__(self) -> None:
        super().__init__(torch.device("cpu"))
        self._marks = 0

    def mark(self) -> Mark:
        self._marks += 1
        return ScriptedMark(60.0 if self._marks == 2 * 8 else 1.0)  # a mark before each step, and one behind it


def test_one_slow_step_hardly_moves_the_time_that_is_left() -> None:
    learner = Learner(small_settings(val_frac=0.0), small_corpus(), queue=ScriptedQueue())
    left = [learner.learn().eta_seconds for _ in range(9)]
    assert left == [learner.steps - step for step in range(1, 10)]


def test_of_a_long_text_a_validation_reads_the_start_of_every_row() -> None:
    corpus, settings = small_corpus(12_000), small_settings(val_frac=0.3, val_chars=4 * 8 * 15 + 7)
    learner = Learner(settings, corpus)
    assert learner.validation_windows == 4 < len(learner.validation_batches)
    losses = batch_losses(CharModel(checkpoint_of(learner.weights())), learner.val_ids, 8, 15)
    assert learner.validate()[0] == pytest.approx(np.mean(list(islice(losses, 4))), abs=1e-5)
    assert Learner(small_settings(val_chars=1), corpus).validation_windows == 1


def test_a_validation_keeps_few_losses_at_a_time_and_can_be_called_off() -> None:
    learner = Learner(small_settings(val_frac=0.9), small_corpus(60_000))
    losses, most = list[weakref.ref[Any]](), 0
    compute = learner.criterion.forward

    def remembered(*args: Any) -> Any:
        nonlocal most
        loss = compute(*args)
        losses.append(weakref.ref(loss))
        most = max(most, sum(ref() is not None for ref in losses))
        return loss

    learner.criterion.forward = remembered  # type: ignore[method-assign]  # looks on
    learner.validate()
    assert len(losses) == learner.validation_windows > 100
    assert most < 20
    learner.cancelled = lambda: len(losses) > learner.validation_windows + 50
    with pytest.raises(Cancelled):
        learner.validate()
    assert len(losses) < learner.validation_windows + 100


def test_the_forget_gate_s_bias_is_the_second_quarter() -> None:
    torch.manual_seed(0)
    plain = CharRNN(5, 3, 2).state_dict()
    torch.manual_seed(0)
    model = CharRNN(5, 3, 2)
    model.add_forget_bias(1.0)
    for name, tensor in model.state_dict().items():
        added = np.repeat([0.0, 1.0, 0.0, 0.0], 3) if "bias_ih" in name else 0.0
        np.testing.assert_allclose(tensor - plain[name], added, atol=1e-6)


def test_dropped_recurrent_weights_learn_nothing_in_that_step_and_all_serve_in_evaluation() -> None:
    torch.manual_seed(0)
    model = CharRNN(5, 16, 2, drop_prob=0.0, weight_drop=0.25)
    ids, hidden = torch.randint(5, (6, 3)), model.init_hidden(3)
    for _ in range(2):
        model.zero_grad()
        model(ids, hidden)[0].square().sum().backward()
        shares = [float((layer[1].grad == 0).float().mean()) for layer in model.lstm.all_weights]
        assert all(0.2 < share < 0.3 for share in shares), "one draw serves all time steps"
        assert not any((layer[0].grad == 0).all() for layer in model.lstm.all_weights)
    plain = CharRNN(5, 16, 2, drop_prob=0.0)
    plain.load_state_dict(model.state_dict())
    assert torch.equal(model.eval()(ids, hidden)[0], plain(ids, hidden)[0])
    assert not torch.equal(model.train()(ids, hidden)[0], plain(ids, hidden)[0])


def test_the_output_bias_starts_at_the_characters_frequencies() -> None:
    learner = Learner(small_settings(output_bias=True), small_corpus())
    counts = np.bincount(learner.train_ids, minlength=len(small_corpus().vocabulary))
    share = np.exp(learner.weights()["fc.bias"])
    assert share.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(share, (counts + 1) / (counts.sum() + len(counts)), rtol=1e-5)


def test_a_constant_rate_stays() -> None:
    assert {learning_rate("constant", 0.5, step, 10) for step in range(10)} == {0.5}


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 100, 1001])
def test_one_cycle_rises_to_the_peak_and_falls_to_the_floor(steps: int) -> None:
    rates = [learning_rate("one-cycle", 0.5, step, steps) for step in range(steps)]
    top = rates.index(max(rates))
    assert max(rates) == pytest.approx(0.5)
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert all(0 < rate <= 0.5 for rate in rates)
    if steps > 2:
        assert rates[-1] == pytest.approx(0.5 * FLOOR)


def test_the_rate_of_a_step_is_the_schedule_s_times_the_factor() -> None:
    learner = Learner(small_settings(schedule="one-cycle"), small_corpus())
    learner.lr_factor = 0.5
    rates = [learner.learn().lr for _ in range(learner.steps)]
    assert rates == [0.5 * learning_rate("one-cycle", 0.01, step, 18) for step in range(18)]


def test_a_device_that_is_not_here_is_refused() -> None:
    if torch.backends.mps.is_available():
        pytest.skip("this machine has one")
    with pytest.raises(SettingsError, match=r"--device: mps is not available on this machine \(here: .*cpu"):
        place(small_settings(device="mps"), 5)


def test_what_does_not_fit_into_memory_is_refused_before_it_is_built() -> None:
    with pytest.raises(SettingsError, match=r"--n-hidden: 16,384 needs about .*; the largest that fits is \d"):
        Learner(small_settings(n_hidden=16_384, n_layers=64), small_corpus())


def test_the_trial_of_threads_leaves_the_random_numbers_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    _, threads = fastest(small_settings(threads=None), 5, ("float32",))
    assert 1 <= threads <= available_cores()
    assert torch.rand(1) == expected
    torch.set_num_threads(1)


def test_bfloat16_learns_about_the_same() -> None:
    losses = {}
    for precision in ("float32", "bfloat16"):
        learner = Learner(small_settings(precision=precision), small_corpus())
        losses[precision] = [learner.learn().loss for _ in range(10)]
        assert all(tensor.dtype == np.float32 for tensor in learner.weights().values())
    np.testing.assert_allclose(losses["bfloat16"], losses["float32"], rtol=0.02)

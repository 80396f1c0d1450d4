"""Steps that are queued on a device while earlier ones are told: the training is the one that waits for each."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from charrnn_tui.checkpoint.safetensors_file import read_checkpoint
from charrnn_tui.run.control import (
    Control,
    Detach,
    EndAfterEpoch,
    HandOver,
    Pause,
    Resume,
    RunSteps,
    SampleNow,
    SaveNow,
    ScaleLearningRate,
    ShareWeights,
    Stop,
)
from charrnn_tui.run.events import (
    AlarmRaised,
    CheckpointSaved,
    Evaluated,
    Event,
    LearningRateChanged,
    PlanChanged,
    RunFinished,
    RunPaused,
    SampleWritten,
    StepDone,
)
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.training import learner as learner_module
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.model import CharRNN
from charrnn_tui.training.resume_state import read_resume_state
from charrnn_tui.training.trainer import train
from tests.training.small_trainings import of_kind, small_corpus, small_settings

HARD = small_settings(
    drop_prob=0.5, epochs=3, schedule="one-cycle", weight_decay=0.01, print_every=7, keep_checkpoints=6
)
PLACES = range(1, 12)  # of a request or an accident: all around the borders of queues and epochs (9 steps)


def trained(
    settings: TrainSettings,
    directory: Path | None = None,
    control: Control | None = None,
    at: Callable[[Event], None] = lambda event: None,
    **others: Any,
) -> list[Event]:
    events = []
    for event in train(settings, small_corpus(), control or Control(), directory, **others):
        events.append(event)
        at(event)
    return events


def figures(events: Sequence[Event]) -> list[Any]:
    """What is told of steps, validations and kept models, in its order, without times."""
    told: list[Any] = []
    for event in events:
        match event:
            case StepDone():
                told.append((event.step, event.epoch, event.loss, event.grad_norm, event.lr))
            case Evaluated():
                told.append(("evaluated", event.step, event.loss, event.val_loss, event.best))
            case CheckpointSaved(kind="kept"):
                told.append(("kept", event.step))
    return told


def weights_at(steps: int, settings: TrainSettings = HARD) -> dict[str, Any]:
    """Of a learner that waits for each step."""
    learner = Learner(settings, small_corpus())
    while learner.step < steps:
        learner.learn()
    return dict(learner.weights())


def asking(control: Control, step: int, *requests: Any) -> Callable[[Event], None]:
    def react(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == step:
            for request in requests:
                control.request(request)

    return react


@pytest.mark.parametrize("ahead", [1, 3, 4, 16])
def test_what_is_told_is_the_same_bit_for_bit(
    ahead: int, device: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("charrnn_tui.training.saver.ADVANCE_SECONDS", math.inf)  # a slow disk would keep fewer models
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    expected = figures(trained(HARD, tmp_path / "a"))
    used = device(ahead)
    events = trained(HARD, tmp_path / "b")
    assert figures(events) == expected
    assert used.most_under_way == min(ahead, 5)  # what is looked at lies that close
    last = [read_checkpoint(tmp_path / run / "last.safetensors") for run in "ab"]
    assert all((tensor == last[1].weights[name]).all() for name, tensor in last[0].weights.items())


def test_the_device_is_kept_busy_where_nobody_looks(device: Any) -> None:
    settings = small_settings(print_every=100)
    expected = figures(trained(settings))
    used = device(4)
    assert figures(trained(settings)) == expected
    assert used.most_under_way == 4


@pytest.mark.parametrize("step", PLACES)
def test_a_stopped_training_is_saved_as_told_and_resumes(step: int, device: Any, tmp_path: Path) -> None:
    whole = figures(trained(replace(HARD, keep_checkpoints=0)))
    device(4)
    control = Control()
    settings = replace(HARD, keep_checkpoints=0)
    first = trained(settings, tmp_path, control, asking(control, step, Stop()))
    state = read_resume_state(tmp_path / "resume.pt")
    told = of_kind(first, StepDone)[-1].step
    assert step <= told <= step + 4
    assert state.step == told == of_kind(first, RunFinished)[0].step
    for name, tensor in weights_at(told).items():
        np.testing.assert_array_equal(state.model[name].numpy(), tensor)
    assert figures(first) + figures(trained(settings, tmp_path, resume=state)) == whole


REQUESTS = [
    (Pause(),),
    (SaveNow(),),
    (SampleNow(),),
    (Detach(),),
    (RunSteps(3),),
    (HandOver(),),
    (EndAfterEpoch(),),
]


@pytest.mark.parametrize("requests", REQUESTS, ids=lambda requests: type(requests[0]).__name__)
@pytest.mark.parametrize("step", [1, 3, 6, 7, 9])
def test_who_looks_at_the_model_sees_that_of_the_last_step_told(
    requests: tuple[Any, ...], step: int, device: Any, tmp_path: Path
) -> None:
    settings = replace(HARD, keep_checkpoints=0)
    whole = of_kind(trained(settings), StepDone)
    device(4)
    control = Control()
    told, seen = 0, []

    def write_sample(checkpoint: Any, _: TrainSettings) -> tuple[str, str]:
        seen.append((checkpoint.facts["step"], told, checkpoint.facts["loss"]))
        return "", ""

    def react(event: Event) -> None:
        nonlocal told
        asking(control, step, *requests)(event)
        if isinstance(event, StepDone):
            told = event.step
        else:
            assert event.step == told
        if isinstance(event, RunPaused):
            control.request(Resume())
        if isinstance(event, CheckpointSaved) and event.kind != "best":
            assert read_resume_state(tmp_path / "resume.pt").step == told

    events = trained(settings, tmp_path, control, react, write_sample=write_sample)
    assert all(at == last for at, last, _ in seen)
    losses = {event.step: event.loss for event in of_kind(events, StepDone)}
    assert [loss for _, _, loss in seen] == [losses[at] for at, _, _ in seen]
    steps = of_kind(events, StepDone)
    assert figures(steps) == figures(whole)[: len(steps)]
    for plan in of_kind(events, PlanChanged):  # a pause, or an end
        reached = of_kind(events, RunPaused) if plan.plan == "pause" else of_kind(events, RunFinished)
        assert [event.step for event in reached] == [plan.at_step]
    assert len(of_kind(events, SampleWritten)) == len(seen)


@pytest.mark.parametrize("step", [1, 4, 6, 8])
def test_shared_weights_are_those_of_their_step(step: int, device: Any) -> None:
    device(4)
    control = Control()
    shared: list[Any] = []
    trained(HARD, None, control, asking(control, step, ShareWeights(shared.append)))
    (checkpoint,) = shared
    assert step <= checkpoint.facts["step"] <= step + 4
    for name, tensor in weights_at(checkpoint.facts["step"]).items():
        np.testing.assert_array_equal(checkpoint.weights[name], tensor)


@pytest.mark.parametrize("step", [1, 4, 6, 8])
def test_another_rate_holds_from_the_step_after_it_is_told(step: int, device: Any) -> None:
    device(4)
    control = Control()
    settings = small_settings(print_every=100)
    events = trained(settings, None, control, asking(control, step, ScaleLearningRate(0.5)))
    changed = of_kind(events, LearningRateChanged)[0].step
    assert step <= changed <= step + 4
    assert [event.lr for event in of_kind(events, StepDone)] == [
        0.01 if number <= changed else 0.005 for number in range(1, 19)
    ]


def stumbling(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """The state that one step starts from is not a number."""
    begin = Learner._begin_step

    def accident(self: Learner) -> None:
        if self.step + self.under_way + 1 == step:
            self._hidden = tuple(state * math.nan for state in self._hidden)  # type: ignore[assignment]  # a pair still
        begin(self)

    monkeypatch.setattr(Learner, "_begin_step", accident)


@pytest.mark.parametrize("step", [place for place in PLACES if place not in (1, 10)])  # epochs begin with zeros
def test_a_loss_that_is_not_a_number_is_told_as_ever(
    step: int, device: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stumbling(monkeypatch, step)
    outcomes = []
    for ahead in (0, 4):
        run = tmp_path / str(ahead)
        run.mkdir()
        if ahead:
            device(ahead)
        events = trained(replace(HARD, keep_checkpoints=0), run)
        alarm = of_kind(events, AlarmRaised)[0]
        state = read_resume_state(run / "resume.pt")
        told = figures(events)
        assert math.isnan(told.pop()[2])
        assert (alarm.kind, alarm.step) == ("nan", step)
        hidden = [tensor.tolist() for tensor in state.hidden]
        weights = {name: tensor.tolist() for name, tensor in state.model.items()}
        outcomes.append((told, alarm.message, of_kind(events, RunFinished)[0].step, state.step, hidden, weights))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("what", ["loss", "gradient"])
@pytest.mark.parametrize("step", range(2, 8))
def test_steps_behind_one_that_is_not_finite_change_nothing(
    what: str, step: int, device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = weights_at(step - 1)
    device(4)
    learner = Learner(HARD, small_corpus())
    if what == "loss":
        stumbling(monkeypatch, step)
    else:
        learner.model.fc.bias.register_hook(
            lambda gradient: gradient * math.inf if learner.step + learner.under_way + 1 == step else gradient
        )
    told = [learner.learn(until=9) for _ in range(step - 1)]
    failed = learner.learn(until=9)
    assert (failed.step, learner.step, learner.under_way) == (step, step - 1, 0)
    assert not math.isfinite(failed.loss + failed.grad_norm)
    assert math.isfinite(failed.loss) == (what == "gradient")
    assert learner.loss == told[-1].loss
    assert failed.lr == learner.lr
    for name, tensor in learner.weights().items():
        np.testing.assert_array_equal(tensor, expected[name])
    if what == "gradient":  # else what it starts from is the accident
        waiting = Learner(HARD, small_corpus())
        while waiting.step < step - 1:
            waiting.learn()
        assert all(torch.equal(ours, theirs) for ours, theirs in zip(learner.hidden, waiting.hidden, strict=True))
    states = learner.optimizer.state_dict()["state"].values()
    assert {float(state["step"]) for state in states} == {step - 1}
    assert all(state["exp_avg"].isfinite().all() for state in states)


def test_a_step_after_one_that_was_not_finite_counts_again(device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as once:
        stumbling(once, 3)
        device(4)
        learner = Learner(small_settings(), small_corpus())
        while math.isfinite(learner.learn(until=9).loss):
            pass
    learner._hidden = tuple(state.nan_to_num() for state in learner._hidden)  # type: ignore[assignment]  # a pair still
    before = learner.weights()
    assert learner.learn().step == learner.step == 3
    assert any((before[name] != tensor).any() for name, tensor in learner.weights().items())


def test_no_more_is_queued_than_can_be_waited_for(device: Any) -> None:
    device(16)
    learner = Learner(small_settings(), small_corpus())
    learner.learn(until=18)
    assert learner.under_way == 0  # how long a step takes is not known yet
    for seconds, expected in ((1.0, 0), (0.04, 2), (0.0001, 16)):
        learner._recent.extend([seconds] * 20)
        learner.learn(until=100)
        assert learner.under_way == expected
        learner.settle()
        learner.step = 0


def test_seconds_are_those_of_the_device_and_sum_up(device: Any) -> None:
    device(4)
    learner = Learner(small_settings(), small_corpus())
    events = [learner.learn(until=9) for _ in range(9)]
    assert [event.seconds for event in events] == [0.001] * 9  # by its clock, however many are told at once
    assert events[-1].train_seconds == 0.009
    assert {event.chars_per_second for event in events} == {120_000.0}


class Waits(TorchDispatchMode):
    """Counts what would have to wait for a device: numbers read, and choices made by them."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if any(word in str(func) for word in ("_local_scalar_dense", "nonzero", "equal")):
            self.seen.append(str(func))
        return func(*args, **kwargs or {})


@pytest.fixture
def as_on_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch's own LSTM, as on a GPU."""
    monkeypatch.setattr(CharRNN, "runs_compiled", lambda _: False)


@pytest.mark.usefixtures("as_on_a_device")
def test_a_step_reads_nothing_from_the_device(device: Any) -> None:
    device(4)
    settings = small_settings(n_hidden=2, drop_prob=0.5)  # rows are looked up: a one-hot vector is checked on a CPU
    learner = Learner(settings, small_corpus())
    learner.learn()
    with Waits() as waits:
        learner._begin_step()
        assert waits.seen == []
        bool(learner._broken)
        assert waits.seen != []  # it would be seen


@pytest.mark.parametrize("lacking", [0, 1])
def test_the_text_lies_on_the_device_where_there_is_room(lacking: int, monkeypatch: pytest.MonkeyPatch) -> None:
    place = learner_module.place
    monkeypatch.setattr(
        learner_module, "place", lambda *given: replace(place(*given), resident_bytes=len(small_corpus()) - lacking)
    )
    learner = Learner(small_settings(), small_corpus())
    assert [batches.resident for batches in (learner._batches, learner._validation_batches)] == [not lacking] * 2


@pytest.mark.parametrize("seen", [3, 5, 8])
def test_steps_that_nobody_waited_for_are_saved_and_handed_over(seen: int, device: Any, tmp_path: Path) -> None:
    settings = replace(HARD, keep_checkpoints=0, print_every=100)
    expected = [event.loss for event in of_kind(trained(settings), StepDone)]
    device(4)
    unheard: list[Event] = []
    stream = train(settings, small_corpus(), Control(), tmp_path, unheard=unheard.append)
    heard: list[StepDone] = []
    for event in stream:
        heard += [event] if isinstance(event, StepDone) else []
        if len(heard) == seen:
            break
    stream.close()
    steps = of_kind([*heard, *unheard], StepDone)
    assert unheard
    assert [event.step for event in steps] == list(range(1, len(steps) + 1))
    assert [event.loss for event in steps] == expected[: len(steps)]
    assert read_resume_state(tmp_path / "resume.pt").step == len(steps)

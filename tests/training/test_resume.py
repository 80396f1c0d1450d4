"""A training that goes on is the training that never ended."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from charrnn_tui.run.control import AddEpochs, Control, EndAfterEpoch, HandOver, Pause, Resume, RunSteps, SaveNow, Stop
from charrnn_tui.run.directory import RunError
from charrnn_tui.run.events import (
    Evaluated,
    Event,
    PlanChanged,
    RunDetached,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    StepDone,
)
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.training.resume_state import ResumeState, read_resume_state, write_resume_state
from charrnn_tui.training.trainer import train
from tests.training.small_trainings import of_kind, small_corpus, small_settings, trained

HARD = small_settings(drop_prob=0.5, epochs=3, schedule="one-cycle", weight_decay=0.01)


def figures(events: list[Event]) -> list[tuple[int, float, float, float]]:
    """What must be the same to the last bit."""
    steps = [(event.step, event.loss, event.grad_norm, event.lr) for event in of_kind(events, StepDone)]
    return steps + [(event.step, event.val_loss, event.best_val_loss, 0.0) for event in of_kind(events, Evaluated)]


def stopped_at(step: int, directory: Path, settings: TrainSettings = HARD, request: Any = None) -> ResumeState:
    """The state of a training that was stopped after this step."""
    control = Control()

    def react(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == step:
            control.request(request or Stop())

    trained(settings, directory, control, at=react)
    return read_resume_state(directory / "resume.pt")


@pytest.mark.parametrize("step", [1, 4, 8, 9, 10, 18, 26])
def test_a_resumed_training_is_the_uninterrupted_one_bit_for_bit(step: int, tmp_path: Path) -> None:
    whole = trained(HARD)
    state = stopped_at(step, tmp_path)
    assert state.step == step
    rest = trained(HARD, tmp_path, resume=state)
    started = rest[0]
    assert isinstance(started, RunStarted)
    assert (started.resumed_at_step, started.step) == (step, step)
    done = {StepDone: step, Evaluated: state.evaluated_at}  # on a busy machine, a stop gives up the step's validation
    kept = [event for event in whole if event.step > done.get(type(event), step)]
    assert figures(rest) == figures(kept)
    assert of_kind(rest, RunFinished)[0].best_val_loss == of_kind(whole, RunFinished)[0].best_val_loss


def test_a_stream_left_between_a_step_and_its_validation_validates_when_resumed(tmp_path: Path) -> None:
    stream = train(HARD, small_corpus(), Control(), tmp_path)
    for event in stream:
        if isinstance(event, StepDone) and event.step == 8:
            break
    stream.close()
    rest = trained(HARD, tmp_path, resume=read_resume_state(tmp_path / "resume.pt"))
    assert [event.step for event in rest if isinstance(event, StepDone | Evaluated)][:2] == [8, 9]
    expected = [row for row in figures(trained(HARD)) if row[0] > 8 or (row[0] == 8 and row[3] == 0.0)]
    assert figures(rest) == expected


def test_more_epochs_and_another_rate_go_on_from_there(tmp_path: Path) -> None:
    settings = small_settings(epochs=1)
    trained(settings, tmp_path)
    state = read_resume_state(tmp_path / "resume.pt")
    assert state.step == 9
    longer = trained(dataclasses.replace(settings, epochs=2, lr=0.005), tmp_path, resume=state)
    assert [event.step for event in of_kind(longer, StepDone)] == list(range(10, 19))
    assert {event.lr for event in of_kind(longer, StepDone)} == {0.005}
    same_rate = trained(dataclasses.replace(settings, epochs=2), None, resume=state)
    assert figures(same_rate)[:9] == figures(trained(dataclasses.replace(settings, epochs=2)))[9:18]


def test_epochs_can_be_added_while_it_trains(tmp_path: Path) -> None:
    control = Control()

    def react(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            control.request(EndAfterEpoch())
            control.request(AddEpochs(1))

    settings = small_settings(epochs=1)
    events = trained(settings, tmp_path, control, at=react)
    assert of_kind(events, StepDone)[-1].step == 18
    plans = [(event.plan, event.at_step, event.epochs, event.steps) for event in of_kind(events, PlanChanged)]
    assert plans == [("end after epoch", 9, 1, 9), ("more epochs", 18, 2, 18)]
    assert read_resume_state(tmp_path / "resume.pt").settings["epochs"] == 2


def test_some_steps_can_be_run_and_then_a_pause(tmp_path: Path) -> None:
    control = Control()

    def react(event: Event) -> None:
        match event:
            case StepDone(step=2):
                control.request(Pause())
            case RunPaused(step=2):
                control.request(RunSteps(3))
            case RunPaused():
                control.request(Resume())

    events = trained(small_settings(), tmp_path, control, at=react)
    assert [event.step for event in of_kind(events, RunPaused)] == [2, 5]
    assert [event.step for event in of_kind(events, RunResumed)] == [2, 5]
    assert figures(events) == figures(trained(small_settings()))


def test_a_run_that_is_handed_over_says_nothing_of_an_end(tmp_path: Path) -> None:
    state = stopped_at(5, tmp_path, request=HandOver())
    assert state.step == 5
    control = Control()
    control.request(HandOver())
    assert isinstance(trained(HARD, tmp_path, control)[-1], RunDetached)


def test_asked_to_save_the_state_is_that_of_the_step(tmp_path: Path) -> None:
    control = Control()

    def react(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            control.request(SaveNow())
        if isinstance(event, StepDone) and event.step == 4:
            assert read_resume_state(tmp_path / "resume.pt").step == 3

    trained(small_settings(print_every=100), tmp_path, control, at=react)


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no such file"), (b"", "is not a resume file"), (b"PK\x03\x04abc", "is not a resume file")],
)
def test_a_file_that_is_no_resume_state_is_refused_in_one_line(
    content: bytes | None, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "resume.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError, match=words) as refused:
        read_resume_state(path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_a_resume_state_with_settings_that_cannot_be_is_refused_by_its_file(tmp_path: Path) -> None:
    state = stopped_at(3, tmp_path)
    write_resume_state(tmp_path / "resume.pt", dataclasses.replace(state, settings={**state.settings, "epochs": 0}))
    with pytest.raises(RunError, match="--epochs: 0 is not a whole number") as refused:
        read_resume_state(tmp_path / "resume.pt")
    assert str(refused.value).startswith(str(tmp_path / "resume.pt"))


def with_moments(state: ResumeState, **changes: Any) -> dict[str, Any]:
    """The optimizer's state with other moments of the first parameter."""
    return {"state": {**state.optimizer["state"], 0: state.optimizer["state"][0] | changes}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda state: {"hidden": (state.hidden[0], state.hidden[1][:, :1])}, "c has the shape"),
        (lambda state: {"model": {name: state.model[name] for name in list(state.model)[1:]}}, "is missing"),
        (
            lambda state: {"model": {**state.model, "fc.bias": state.model["fc.bias"][:1].expand(10**6)}},
            "lstm.weight_ih_l0 has the shape",
        ),
        (lambda state: {"settings": {**state.settings, "n_hidden": 9}}, "has the shape"),
        (
            lambda state: {"hidden": tuple(part[:1, :1, :1].clone().expand(part.shape) for part in state.hidden)},
            "is larger than",
        ),
        (lambda state: {"optimizer": {"state": {0: {"step": 1.0}}}}, "exp_avg"),
        (lambda state: {"generators": {"cpu": state.generators["cpu"][:5]}}, "is not a resume file"),
        (
            lambda state: {"hidden": (state.hidden[0] * float("nan"), state.hidden[1])},
            "h holds NaN or infinite numbers",
        ),
        (lambda state: {"model": {n: tensor * 1e35 for n, tensor in state.model.items()}}, "infinite numbers, or huge"),
        (lambda state: {"optimizer": with_moments(state, step=2**70)}, "the optimizer has done 1.18059e+21 steps"),
        (lambda state: {"step": -1}, "step: Expected `int` >= 0"),
        (lambda state: {"lr_factor": float("nan")}, "lr_factor: Expected `float`"),
    ],
)
def test_a_resume_state_that_does_not_fit_is_refused_by_what_is_wrong(
    change: Callable[[ResumeState], dict[str, Any]], words: str, tmp_path: Path
) -> None:
    state = stopped_at(3, tmp_path)
    write_resume_state(tmp_path / "resume.pt", dataclasses.replace(state, **change(state)))
    with pytest.raises(RunError) as refused:
        read_resume_state(tmp_path / "resume.pt")
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)

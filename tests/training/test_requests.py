"""Requests to a training whose next steps are queued on a device already: who looks sees the last step told."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

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
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.resume_state import read_resume_state
from charrnn_tui.training.trainer import train
from tests.training.hard_trainings import HARD, PLACES, figures, weights_at
from tests.training.small_trainings import asking, of_kind, small_corpus, small_settings, trained


@pytest.mark.parametrize("step", PLACES)
def test_a_stopped_training_is_saved_as_told_and_resumes(step: int, device: Any, tmp_path: Path) -> None:
    whole = figures(trained(replace(HARD, keep_checkpoints=0)))
    control = Control()
    settings = replace(HARD, keep_checkpoints=0)
    first = trained(settings, tmp_path, control, asking(control, step, Stop()), make_learner=device(4).learner)
    state = read_resume_state(tmp_path / "resume.pt")
    told = of_kind(first, StepDone)[-1].step
    assert step <= told <= step + 4
    assert state.step == told == of_kind(first, RunFinished)[0].step
    for name, tensor in weights_at(told).items():
        np.testing.assert_array_equal(state.model[name].numpy(), tensor)
    assert figures(first) + figures(trained(settings, tmp_path, resume=state)) == whole


@pytest.mark.parametrize("ending", [Stop(), HandOver()])
def test_a_validation_is_given_up_for_who_waits_for_the_end_and_done_after_resuming(
    ending: Stop | HandOver, tmp_path: Path
) -> None:
    settings = small_settings(print_every=4, drop_prob=0.5, batch_size=1, seq_length=5, max_steps=10)
    whole = trained(settings)
    control = Control()

    class AskedToEnd(Learner):
        def validate(self) -> tuple[float, float]:
            if self.step == 8:
                control.request(ending)
            return super().validate()

    first = trained(settings, tmp_path, control, make_learner=AskedToEnd)
    assert [event.step for event in of_kind(first, Evaluated)] == [4]
    assert first[-1].step == 8
    resumed = trained(settings, tmp_path, resume=read_resume_state(tmp_path / "resume.pt"))
    assert figures(first) + figures(resumed) == figures(whole)


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

    learner = device(4).learner
    events = trained(settings, tmp_path, control, react, write_sample=write_sample, make_learner=learner)
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
    control = Control()
    shared: list[Any] = []
    trained(HARD, None, control, asking(control, step, ShareWeights(shared.append)), make_learner=device(4).learner)
    (checkpoint,) = shared
    assert step <= checkpoint.facts["step"] <= step + 4
    for name, tensor in weights_at(checkpoint.facts["step"]).items():
        np.testing.assert_array_equal(checkpoint.weights[name], tensor)


@pytest.mark.parametrize("step", [1, 4, 6, 8])
def test_another_rate_holds_from_the_step_after_it_is_told(step: int, device: Any) -> None:
    control = Control()
    settings = small_settings(print_every=100)
    react = asking(control, step, ScaleLearningRate(0.5))
    events = trained(settings, None, control, react, make_learner=device(4).learner)
    changed = of_kind(events, LearningRateChanged)[0].step
    assert step <= changed <= step + 4
    assert [event.lr for event in of_kind(events, StepDone)] == [
        0.01 if number <= changed else 0.005 for number in range(1, 19)
    ]


@pytest.mark.parametrize("seen", [3, 5, 8])
def test_steps_that_nobody_waited_for_are_saved_and_handed_over(seen: int, device: Any, tmp_path: Path) -> None:
    settings = replace(HARD, keep_checkpoints=0, print_every=100)
    expected = [event.loss for event in of_kind(trained(settings), StepDone)]
    late: list[Event] = []
    stream = train(
        *(settings, small_corpus(), Control(), tmp_path), on_late_event=late.append, make_learner=device(4).learner
    )
    heard: list[StepDone] = []
    for event in stream:
        heard += [event] if isinstance(event, StepDone) else []
        if len(heard) == seen:
            break
    stream.close()
    steps = of_kind([*heard, *late], StepDone)
    assert late
    assert [event.step for event in steps] == list(range(1, len(steps) + 1))
    assert [event.loss for event in steps] == expected[: len(steps)]
    assert read_resume_state(tmp_path / "resume.pt").step == len(steps)

"""A training as a stream of events: what it tells, what it saves, what can be asked of it."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.checkpoint.safetensors_file import read_checkpoint
from charrnn_tui.run.control import (
    Control,
    EndAfterEpoch,
    Pause,
    Resume,
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
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    SampleWritten,
    StepDone,
)
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.batches import TextTooShort
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.text.lines import median_line_length
from charrnn_tui.text.vocabulary import Vocabulary
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.lstm_cell import compiled_cell
from charrnn_tui.training.resume_state import read_resume_state
from charrnn_tui.training.trainer import train
from tests.training import small_trainings
from tests.training.small_trainings import asking, of_kind, small_corpus, small_settings

Reaction = Callable[[Event], None]


def a_sample(checkpoint: Checkpoint, settings: TrainSettings) -> tuple[str, str]:
    return "Anna", f"step {checkpoint.facts['step']}"


trained = partial(small_trainings.trained, write_sample=a_sample)


def steps_of(events: list[Event]) -> list[int]:
    return [event.step for event in of_kind(events, StepDone)]


def last(events: list[Event]) -> RunFinished:
    assert isinstance(events[-1], RunFinished)
    assert len(of_kind(events, RunFinished)) == 1
    return events[-1]


def test_a_run_tells_its_start_every_step_and_its_end(tmp_path: Path) -> None:
    events = trained(small_settings(), tmp_path)
    started = events[0]
    assert isinstance(started, RunStarted)
    assert (started.steps, started.steps_per_epoch, started.epochs) == (18, 9, 2)
    assert (started.device, started.precision, started.threads) == ("cpu", "float32", 1)
    assert started.lstm == compiled_cell().description
    assert started.chars == 1200
    assert steps_of(events) == list(range(1, 19))
    assert [event.step for event in of_kind(events, Evaluated)] == [4, 8, 12, 16, 18]
    assert [event.step for event in of_kind(events, SampleWritten)] == [4, 8, 12, 16, 18]
    assert (last(events).state, last(events).step, last(events).reason) == ("finished", 18, "")
    assert [event.time for event in events] == sorted(event.time for event in events)


def test_the_checkpoints_hold_the_facts(tmp_path: Path) -> None:
    settings = small_settings()
    events = trained(settings, tmp_path)
    evaluations = of_kind(events, Evaluated)
    best = min(evaluations, key=lambda event: event.val_loss)
    facts = read_checkpoint(tmp_path / "best.safetensors").facts
    assert (facts["step"], facts["val_loss"], facts["best_val_loss"]) == (best.step, best.val_loss, best.val_loss)
    assert (facts["batch_size"], facts["seq_length"], facts["corpus"]) == (8, 15, "small")
    assert TrainSettings.from_json(facts["settings"]) == settings
    corpus = small_corpus()
    assert facts["median_line_length"] == median_line_length(corpus.ids, corpus.vocabulary) is not None
    newest = read_checkpoint(tmp_path / "last.safetensors")
    assert (newest.facts["step"], newest.facts["epoch"]) == (18, 2)
    assert newest.facts["val_loss"] == evaluations[-1].val_loss == last(events).val_loss
    assert newest.vocabulary == small_corpus().vocabulary
    learner = Learner(settings, small_corpus())
    for _ in range(18):
        learner.learn()
    assert all((newest.weights[name] == tensor).all() for name, tensor in learner.weights().items())


def test_an_end_can_be_set_in_steps(tmp_path: Path) -> None:
    events = trained(small_settings(max_steps=5), tmp_path)
    assert steps_of(events) == [1, 2, 3, 4, 5]
    assert isinstance(events[0], RunStarted)
    assert events[0].steps == 5
    assert last(events).state == "finished"


class Scripted(Learner):
    """Its validations have these losses; the last one stays."""

    losses = (3.0, 2.0, 2.5, 2.0, 1.9, 2.1, 2.2, 2.3, 2.4)

    def validate(self) -> tuple[float, float]:
        super().validate()
        return self.losses[min(self.step // 4, len(self.losses)) - 1], 0.0


def test_a_run_ends_when_validation_has_not_improved_for_so_long(tmp_path: Path) -> None:
    patient = partial(small_settings, epochs=6)  # of 9 steps, a validation every 4
    whole = trained(patient(), make_learner=Scripted)
    for patience, end in ((1, 12), (2, 16), (3, 32), (5, 40)):
        events = trained(patient(patience=patience), tmp_path / str(patience), make_learner=Scripted)
        assert steps_of(events) == list(range(1, end + 1))
        assert [event.step for event in of_kind(events, Evaluated)] == list(range(4, end + 1, 4))
        validations = "1 validation" if patience == 1 else f"{patience} validations"
        assert (last(events).state, last(events).reason) == ("finished", f"no improvement in {validations}")
    state = read_resume_state(tmp_path / "2" / "resume.pt")
    rest = trained(patient(patience=3), tmp_path / "2", make_learner=Scripted, resume=state)
    losses = [event.loss for event in of_kind(whole, StepDone)]
    assert [event.loss for event in of_kind(rest, StepDone)] == losses[16:32]
    assert last(rest).reason == "no improvement in 3 validations"


def test_patience_that_is_lost_at_the_last_step_is_no_reason(tmp_path: Path) -> None:
    events = trained(small_settings(max_steps=12, patience=1), tmp_path, make_learner=Scripted)
    assert (last(events).state, last(events).step, last(events).reason) == ("finished", 12, "")


def test_without_validation_there_is_a_last_checkpoint_but_no_best_one(tmp_path: Path) -> None:
    events = trained(small_settings(val_frac=0.0), tmp_path)
    assert of_kind(events, Evaluated) == []
    assert [event.step for event in of_kind(events, SampleWritten)] == [4, 8, 12, 16, 20]
    assert not (tmp_path / "best.safetensors").exists()
    assert read_checkpoint(tmp_path / "last.safetensors").facts["step"] == 20
    assert last(events).best_val_loss is None


def test_a_pause_waits_and_changes_nothing(tmp_path: Path) -> None:
    control = Control()

    def react(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            control.request(Pause())
            control.request(Pause())
        if isinstance(event, RunPaused):
            assert read_checkpoint(tmp_path / "last.safetensors").facts["step"] == 3
            control.request(Resume())

    events = trained(small_settings(), tmp_path, control, react)
    assert [event.step for event in of_kind(events, RunPaused)] == [3]
    assert [event.step for event in of_kind(events, RunResumed)] == [3]
    undisturbed = of_kind(trained(small_settings()), StepDone)
    assert [event.loss for event in of_kind(events, StepDone)] == [event.loss for event in undisturbed]


def test_a_pause_is_not_training_time(tmp_path: Path) -> None:
    control = Control()
    seconds = 0.0
    for event in train(small_settings(), small_corpus(), control, tmp_path):
        if isinstance(event, StepDone | Evaluated):
            seconds += event.seconds
        if isinstance(event, StepDone) and event.step == 5:
            control.request(Pause())
        if isinstance(event, RunPaused):
            sum(range(3_000_000))  # a pause of some length
            control.request(Resume())
        if isinstance(event, RunFinished):
            assert event.train_seconds == pytest.approx(seconds, abs=0.01)


def test_a_training_that_is_stopped_before_its_first_step_saves_nothing(tmp_path: Path) -> None:
    control = Control()
    control.request(Stop())
    events = trained(small_settings(), tmp_path, control)
    assert [type(event) for event in events] == [RunStarted, RunFinished]
    assert not list(tmp_path.glob("*.pt"))


@pytest.mark.parametrize("asked_before", [False, True])
def test_an_interruption_saves_unless_it_follows_a_request_to_stop(asked_before: bool, tmp_path: Path) -> None:
    control = Control()
    stream = train(small_settings(), small_corpus(), control, tmp_path)
    next(event for event in stream if isinstance(event, StepDone) and event.step == 6)
    if asked_before:
        control.request(Stop())
    with pytest.raises(KeyboardInterrupt):
        stream.throw(KeyboardInterrupt)
    assert (read_resume_state(tmp_path / "resume.pt").step == 6) is not asked_before


def test_a_stopped_run_still_saves(tmp_path: Path) -> None:
    control = Control()
    events = trained(small_settings(), tmp_path, control, asking(control, 6, Stop("interrupted", "SIGTERM")))
    assert steps_of(events) == [1, 2, 3, 4, 5, 6]
    assert (last(events).state, last(events).reason, last(events).step) == ("interrupted", "SIGTERM", 6)
    assert [event.step for event in of_kind(events, Evaluated)] == [4]  # who stops is waiting: no last validation
    assert read_checkpoint(tmp_path / "last.safetensors").facts["step"] == 6


def test_a_paused_run_can_be_stopped(tmp_path: Path) -> None:
    control = Control()
    events = trained(small_settings(), tmp_path, control, asking(control, 2, Pause(), Stop()))
    assert steps_of(events) == [1, 2]
    assert of_kind(events, RunResumed) == []
    assert last(events).state == "stopped"


def test_a_run_can_end_after_its_epoch_with_a_validation(tmp_path: Path) -> None:
    control = Control()
    events = trained(small_settings(epochs=5), tmp_path, control, asking(control, 3, EndAfterEpoch()))
    assert steps_of(events) == list(range(1, 10))
    assert of_kind(events, Evaluated)[-1].step == 9
    assert (last(events).state, last(events).reason) == ("stopped", "ended after the epoch, as asked")


def test_asked_before_the_first_step_a_run_still_does_one_epoch() -> None:
    control = Control()
    control.request(EndAfterEpoch())
    assert steps_of(trained(small_settings(), control=control)) == list(range(1, 10))


def test_a_stop_overrules_the_end_after_the_epoch() -> None:
    control = Control()
    events = trained(small_settings(), None, control, asking(control, 3, EndAfterEpoch(), Stop("interrupted", "HUP")))
    assert (last(events).state, last(events).step) == ("interrupted", 3)
    assert of_kind(events, Evaluated) == []


def test_the_end_after_the_last_epoch_is_the_end() -> None:
    control = Control()
    events = trained(small_settings(), None, control, asking(control, 12, EndAfterEpoch()))
    assert (last(events).state, last(events).step) == ("finished", 18)


def test_saving_and_sampling_can_be_asked_for(tmp_path: Path) -> None:
    control = Control()
    events = trained(small_settings(print_every=100), tmp_path, control, asking(control, 3, SaveNow(), SampleNow()))
    requested = [event for event in of_kind(events, CheckpointSaved) if event.kind == "requested"]
    assert [(event.step, event.file) for event in requested] == [(3, "last.safetensors")]
    sample = of_kind(events, SampleWritten)[0]
    assert (sample.step, sample.prime, sample.text) == (3, "Anna", "step 3")


def test_the_learning_rate_can_be_scaled_from_the_next_step_on() -> None:
    control = Control()
    events = trained(
        small_settings(), None, control, asking(control, 3, ScaleLearningRate(0.5), ScaleLearningRate(0.5))
    )
    assert [event.lr for event in of_kind(events, StepDone)][:5] == [0.01, 0.01, 0.01, 0.0025, 0.0025]
    changes = of_kind(events, LearningRateChanged)
    assert [(event.lr, event.factor) for event in changes] == [(0.005, 0.5), (0.0025, 0.25)]


def test_the_weights_can_be_shared_while_it_trains_and_while_it_rests() -> None:
    control = Control()
    shared: list[Any] = []
    asked = (ShareWeights(shared.append), Pause(), ShareWeights(shared.append), Resume())
    trained(small_settings(), None, control, asking(control, 5, *asked))
    assert [checkpoint.facts["step"] for checkpoint in shared] == [5, 5]
    assert shared[0].weights["fc.bias"] is not shared[1].weights["fc.bias"]
    np.testing.assert_array_equal(shared[0].weights["fc.bias"], shared[1].weights["fc.bias"])


def test_requests_disturb_no_loss(tmp_path: Path) -> None:
    control = Control()
    settings = small_settings(drop_prob=0.5)
    asked = (SaveNow(), SampleNow(), ShareWeights(lambda _: None), Pause(), Resume())
    disturbed = of_kind(trained(settings, tmp_path, control, asking(control, 5, *asked)), StepDone)
    assert [e.loss for e in disturbed] == [e.loss for e in of_kind(trained(settings), StepDone)]


@pytest.mark.parametrize("seen", [1, 2, 7])
def test_a_stream_closed_early_saves_its_last_checkpoint(tmp_path: Path, seen: int) -> None:
    stream = train(small_settings(), small_corpus(), Control(), tmp_path)
    events = [next(stream) for _ in range(seen)]
    stream.close()
    assert read_checkpoint(tmp_path / "last.safetensors").facts["step"] == events[-1].step


def test_an_error_in_mid_training_saves_what_there_is(tmp_path: Path) -> None:
    def failing(*_: object) -> tuple[str, str]:
        raise ValueError("no sample today")

    stream = train(small_settings(), small_corpus(), Control(), tmp_path, failing)
    with pytest.raises(ValueError, match="no sample today"):
        list(stream)
    assert read_checkpoint(tmp_path / "last.safetensors").facts["step"] == 4


def test_a_text_too_short_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(TextTooShort):
        train(small_settings(), small_corpus(50), Control(), tmp_path)


def test_one_character_again_and_again_is_learnt_at_once(tmp_path: Path) -> None:
    vocabulary = Vocabulary("a")
    corpus = Corpus("a", vocabulary.encode("a" * 1200), vocabulary, "")
    events = list(train(small_settings(), corpus, Control(), tmp_path))
    assert [event.best for event in of_kind(events, Evaluated)] == [True] + [False] * 4
    assert last(events).best_val_loss == 0.0


class Diverging(Learner):
    """The loss of step 6 is not a number: the hidden state that it starts from is none."""

    def learn(self, until: int = 0) -> StepDone:
        if self.step + 1 == 6:
            self.hidden = (self.hidden[0] * math.nan, self.hidden[1] * math.nan)
        return super().learn(until)


def test_a_loss_that_is_not_a_number_ends_the_run_and_keeps_the_good_weights(tmp_path: Path) -> None:
    events = trained(small_settings(), tmp_path, make_learner=Diverging)
    alarm = of_kind(events, AlarmRaised)[0]
    assert (alarm.kind, alarm.step) == ("nan", 6)
    assert "not a number at step 6; the model of step 4 is kept; try a smaller --lr than 0.01" in alarm.message
    assert (last(events).state, last(events).step, last(events).reason) == ("failed", 4, alarm.message)
    kept = read_checkpoint(tmp_path / "last.safetensors")
    assert kept.facts["step"] == 4
    assert kept.finite
    assert kept.facts["loss"] == of_kind(events, StepDone)[3].loss


def test_an_overflowing_learning_rate_leaves_no_broken_checkpoint(tmp_path: Path) -> None:
    events = trained(small_settings(lr=9.9, clip=1e5, epochs=10, n_hidden=32), tmp_path)
    assert last(events).state in ("finished", "failed")
    assert read_checkpoint(tmp_path / "last.safetensors").finite

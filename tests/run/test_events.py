"""Events: one line of JSON each, read by any version, folded into progress."""

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from charrnn_tui.run.events import (
    AlarmRaised,
    CheckpointSaved,
    Evaluated,
    Event,
    LearningRateChanged,
    PlanChanged,
    RunDetached,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    SampleWritten,
    StepDone,
    SystemSampled,
    from_json,
    from_line,
    to_json,
    to_line,
)
from charrnn_tui.run.machine_share import MachineShare
from charrnn_tui.run.progress import RunProgress


def step_done(step: int, loss: float = 2.0, **facts: Any) -> StepDone:
    values: dict[str, Any] = {
        "epoch": 1,
        "grad_norm": 0.5,
        "lr": 0.001,
        "seconds": 0.1,
        "chars_per_second": 100.0,
        "train_seconds": step * 0.1,
        "eta_seconds": 10.0,
    }
    return StepDone(time=1000.0 + step, step=step, loss=loss, **(values | facts))


def test_a_validation_is_under_way_from_the_step_before_it_until_it_is_told() -> None:
    progress = RunProgress()
    progress.add(RunStarted(time=1.0, steps=10, settings={"print_every": 4, "val_frac": 0.1}))
    told = []
    for step in range(1, 11):
        progress.add(step_done(step))
        told.append(progress.validating)
        if progress.validating:
            progress.add(evaluated(step, 1.0, best=True))
            assert not progress.validating
    assert told == [step in (4, 8, 10) for step in range(1, 11)]
    progress.add(RunStarted(time=1.0, steps=10, settings={"print_every": 2, "val_frac": 0.0}))
    assert not progress.validating


def evaluated(step: int, val_loss: float, best: bool) -> Evaluated:
    return Evaluated(
        time=1000.0 + step,
        step=step,
        epoch=1,
        loss=2.0,
        val_loss=val_loss,
        best_val_loss=1.5,
        best=best,
        batch_size=4,
        seq_length=10,
        seconds=0.1,
    )


STARTED = RunStarted(
    time=1000.0, run="anna-1", corpus="anna", chars=99, tokens=7, steps=50, epochs=2, settings={"n_hidden": 8},
    flops_per_char=15_900_000, limit_gflops=159.0,
)  # fmt: skip
ALL = [
    STARTED,
    step_done(1),
    evaluated(1, 1.6, best=True),
    SampleWritten(time=1.0, prime="A", text="nn\u2028\x1b[0m\r\n'", seed=0, top_k=5),
    CheckpointSaved(time=1.0, kind="best", file="best.safetensors", val_loss=1.6),
    RunPaused(time=1.0, step=1),
    RunResumed(time=1.0, step=1),
    LearningRateChanged(time=1.0, lr=0.01, factor=10.0),
    AlarmRaised(time=1.0, kind="disk", message="full"),
    RunDetached(time=1.0, step=1),
    PlanChanged(time=1.0, plan="more epochs", at_step=9, epochs=3, steps=9),
    SystemSampled(time=1.0, step=3, cpu_percent=50.0, memory_bytes=10**9),
    RunFinished(time=1.0, state="finished"),
]


@pytest.mark.parametrize("event", ALL, ids=lambda event: type(event).__name__)
def test_an_event_survives_its_line(event: Event) -> None:
    line = to_line(event)
    assert line.count("\n") == 1
    assert "\r" not in line
    assert from_json(json.loads(line)) == event


def test_settings_of_another_type_are_left_out_when_read() -> None:
    settings = {"print_every": "x", "val_frac": [], "n_hidden": 10**400, "colour": 1, "batch_size": 4}
    event = from_json(to_json(STARTED) | {"settings": settings})
    assert isinstance(event, RunStarted)
    assert event.settings == {"batch_size": 4}
    line = json.dumps({"event": "run_started", "time": 1.0, "settings": {"print_every": "x"}}).encode()
    assert from_line(line) == RunStarted(time=1.0)


def test_every_kind_of_event_is_tried_here() -> None:
    assert {type(event) for event in ALL} == set(Event.__subclasses__())


def test_a_line_names_its_event_in_snake_case_and_its_time() -> None:
    values = to_json(step_done(3))
    assert (values["event"], values["time"], values["step"]) == ("step_done", 1003.0, 3)
    assert to_json(LearningRateChanged(time=1.0, lr=0.1, factor=2.0))["event"] == "learning_rate_changed"


def test_a_loss_that_is_not_a_number_is_null_on_disk_and_nan_again_when_read() -> None:
    values = json.loads(to_line(step_done(3, loss=math.inf)))
    assert values["loss"] is None
    event = from_json(values)
    assert isinstance(event, StepDone)
    assert math.isnan(event.loss)


def test_a_lone_surrogate_can_be_written_and_read() -> None:
    event = SampleWritten(time=1.0, prime="\ud800", text="", seed=0, top_k=5)
    assert from_json(json.loads(to_line(event).encode("utf-8", "backslashreplace"))) == event


def test_unknown_fields_are_left_out() -> None:
    assert from_json(to_json(step_done(3)) | {"colour": "red"}) == step_done(3)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"event": "moon_landed", "time": 1.0},
        {"event": ["step_done"]},
        {"event": "run_paused"},
        {"event": "step_done", "time": 1.0, "step": 3},
        {"event": "run_paused", "time": "noon"},
        {"event": "run_paused", "time": 1.0, "step": None},
        {"event": "run_started", "time": 1.0, "settings": [1]},
        {**to_json(step_done(3)), "chars_per_second": None},
        {**to_json(step_done(3)), "train_seconds": math.inf},
    ],
)
def test_what_is_no_event_of_this_version_is_none(values: dict[str, Any]) -> None:
    assert from_json(values) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


@given(
    st.sampled_from(ALL), st.dictionaries(st.sampled_from(["time", "step", "loss", "val_loss", "state", "lr"]), JSON)
)
def test_no_damaged_field_can_break_the_folding(event: Event, damage: dict[str, Any]) -> None:
    progress = RunProgress()
    read = from_json(to_json(event) | damage)
    if read is not None:
        for event in [STARTED, read]:
            progress.add(event)
        assert progress.to_json()["step"] >= 0


def folded(*events: Event) -> RunProgress:
    progress = RunProgress()
    for event in events:
        progress.add(event)
    return progress


def test_before_its_first_event_a_run_is_preparing() -> None:
    progress = folded()
    assert (progress.state, progress.total_steps, progress.eta_seconds, progress.ended) == ("preparing", 0, None, False)
    assert progress.to_json() == {"state": "preparing", "step": 0, "updated": 0.0}


def test_states_follow_the_events() -> None:
    assert folded(STARTED).state == "training"
    assert folded(STARTED, RunPaused(time=1.0)).state == "paused"
    assert folded(STARTED, RunPaused(time=1.0), RunResumed(time=1.0)).state == "training"
    for state in ("finished", "stopped", "interrupted", "failed"):
        progress = folded(STARTED, RunFinished(time=1.0, state=state, reason="why"))
        assert progress.ended
        assert (progress.state, progress.reason) == (state, "why")


def test_curves_have_an_entry_a_step_and_a_validation() -> None:
    progress = folded(STARTED, step_done(1, 3.0), step_done(2, 2.5), evaluated(2, 2.6, True), step_done(3, math.nan))
    assert progress.steps.tolist() == [1, 2, 3]
    assert progress.losses.tolist()[:2] == [3.0, 2.5]
    assert math.isnan(progress.losses[2])
    assert (progress.val_steps.tolist(), progress.val_losses.tolist()) == ([2], [2.6])


def test_the_best_validation_is_kept_beside_the_last() -> None:
    progress = folded(STARTED, evaluated(2, 1.5, True), evaluated(4, 1.9, False))
    assert progress.best_evaluation == evaluated(2, 1.5, True)
    assert progress.last_evaluation == evaluated(4, 1.9, False)


def test_ticks_samples_alarms_and_savings_are_collected() -> None:
    progress = folded(*ALL)
    told = [(1, "paused"), (1, "goes on"), (0, "lr 0.01"), (0, "!disk"), (1, "detached"), (0, "more epochs")]
    assert progress.ticks == told
    assert len(progress.samples) == len(progress.alarms) == 1
    assert progress.saved is not None
    assert progress.saved.kind == "best"


def test_what_was_asked_for_is_a_tick_and_what_was_due_is_none() -> None:
    progress = folded(
        SampleWritten(time=1.0, step=3, prime="", text="", seed=0, top_k=5),
        SampleWritten(time=1.0, step=4, prime="", text="", seed=0, top_k=5, requested=True),
        CheckpointSaved(time=1.0, step=5, kind="last", file="last.safetensors"),
        CheckpointSaved(time=1.0, step=6, kind="requested", file="last.safetensors"),
        RunFinished(time=1.0, step=7, state="stopped"),
    )
    assert progress.ticks == [(4, "sample"), (6, "saved"), (7, "stopped")]


def test_nothing_is_left_to_do_once_a_run_has_ended() -> None:
    assert folded(STARTED, step_done(1)).eta_seconds == 10.0
    assert folded(STARTED, step_done(1), RunFinished(time=1.0, state="stopped")).eta_seconds is None


def test_progress_as_json_has_the_documented_keys() -> None:
    values = folded(STARTED, step_done(1), evaluated(1, 1.5, True)).to_json()
    documented = "run state step steps epoch epochs loss val_loss best_val_loss bits_per_char chars_per_second"
    sizes = "device precision eta_seconds chars batch_size seq_length tokens parameters cell n_hidden n_layers"
    speed = "gflops limit_gflops limit_share"
    assert set(f"{documented} {sizes} {speed}".split()) <= set(values)
    assert values["bits_per_char"] == pytest.approx(1.5 / math.log(2))
    assert (values["run"], values["n_hidden"], values["steps"]) == ("anna-1", 8, 50)
    json.dumps(values, allow_nan=False)
    assert values["bits_per_byte"] is None  # the run is older than this figure
    started = msgspec.structs.replace(STARTED, bytes_per_char=1.6)
    values = folded(started, step_done(1), evaluated(1, 1.5, True)).to_json()
    assert values["bits_per_byte"] == pytest.approx(1.5 / math.log(2) / 1.6)


def test_the_speed_is_told_beside_the_machines_limit() -> None:
    share = folded(STARTED, step_done(1)).machine_share  # at 100 chars/s
    assert share is not None
    assert share.to_json() == {"gflops": 1.59, "limit_gflops": 159.0, "limit_share": 0.01}
    assert share.short == "1.59 GFLOP/s, 1 % of limit"
    assert share.text == "1.59 GFLOP/s, 1 % of the machine's limit of 159"
    assert MachineShare(12_812.4, 650_000.0).text == "12,812 GFLOP/s, 2 % of the machine's limit of 650,000"


def test_a_run_of_an_older_version_tells_no_share_of_the_limit() -> None:
    line = b'{"event": "run_started", "time": 1.0, "run": "old-1", "device": "cpu", "steps": 50}\n'
    started = from_line(line)
    assert started == RunStarted(time=1.0, run="old-1", device="cpu", steps=50)
    assert isinstance(started, RunStarted)
    progress = folded(started, step_done(1))
    assert progress.machine_share is None
    assert "gflops" not in progress.to_json()


def test_a_loss_that_is_not_a_number_is_null_in_json() -> None:
    values = folded(STARTED, step_done(1, math.nan), evaluated(1, math.nan, False)).to_json()
    assert values["loss"] is None
    assert values["val_loss"] is None


def test_a_resumed_training_takes_back_the_steps_that_it_does_anew() -> None:
    steps = [step_done(step, loss=float(step)) for step in range(1, 7)]
    resumed = structs.replace(STARTED, step=4, resumed_at_step=4)
    progress = folded(
        STARTED,
        *steps[:4],
        evaluated(4, 1.5, True),
        *steps[4:],
        evaluated(6, 1.4, True),
        AlarmRaised(time=2.0, step=6, kind="nan", message="not a number"),
        RunFinished(time=2.0, step=6, state="failed", reason="not a number"),
        resumed,
    )
    assert (progress.state, progress.reason, progress.step) == ("training", "", 4)
    assert list(progress.steps) == [1, 2, 3, 4]
    assert list(progress.val_steps) == [4]
    assert progress.best_evaluation == progress.last_evaluation == evaluated(4, 1.5, True)
    assert progress.alarms == []
    progress.add(step_done(5, loss=9.0))
    assert list(progress.losses) == [1.0, 2.0, 3.0, 4.0, 9.0]
    assert progress.ticks == [(4, "resumed")]


def test_a_run_without_its_terminal_is_detached_until_it_ends() -> None:
    progress = folded(STARTED, RunDetached(time=1.0, step=1), step_done(2))
    assert progress.state == "detached"
    for event in [RunPaused(time=1.0, step=2), RunResumed(time=1.0, step=2)]:
        progress.add(event)
    assert progress.state == "detached"
    progress.add(RunFinished(time=1.0, step=2, state="finished"))
    assert progress.ended


def test_a_changed_plan_changes_what_is_still_to_do() -> None:
    progress = folded(STARTED, PlanChanged(time=1.0, step=3, plan="more epochs", at_step=75, epochs=3, steps=75))
    assert (progress.total_steps, progress.started and progress.started.epochs) == (75, 3)
    progress.add(PlanChanged(time=1.0, step=4, plan="budget", at_step=60, epochs=3, steps=60))
    assert progress.total_steps == 60
    assert [tick for _, tick in progress.ticks] == ["more epochs"], "a correction of the budget is no request"

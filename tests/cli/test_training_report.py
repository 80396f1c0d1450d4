"""The figures beside the progress bar, and the lines."""

from charrnn_tui.cli.training_report import bar_numbers, lines_for
from charrnn_tui.run.events import AlarmRaised, Evaluated, PlanChanged, RunFinished, RunPaused, RunStarted, StepDone
from charrnn_tui.run.progress import RunProgress


def a_step(step: int) -> StepDone:
    return StepDone(
        time=1.0, step=step, epoch=3, loss=1.4823, grad_norm=1.0, lr=0.001, seconds=1.0,
        chars_per_second=11_300, train_seconds=100.0, eta_seconds=2460.0,
    )  # fmt: skip


def half_way() -> RunProgress:
    progress = RunProgress()
    progress.add(
        RunStarted(time=0.0, run="anna-3", epochs=20, steps=50_000, flops_per_char=19_130_000, limit_gflops=300.5)
    )
    progress.add(a_step(12_400))
    progress.add(
        Evaluated(
            time=1.0, step=12_400, epoch=3, loss=1.48, val_loss=1.56, best_val_loss=1.551, best=False,
            batch_size=128, seq_length=100, seconds=2.0,
        )
    )  # fmt: skip
    return progress


def test_a_wide_terminal_shows_every_figure_with_its_unit() -> None:
    assert bar_numbers(half_way(), 160) == (
        "25 % · loss 1.482, val 1.560 nats/char · 41 min left · epoch 3/20 · step 12.4k/50k · 11.3k chars/s · "
        "216 GFLOP/s, 72 % of limit"
    )


def test_a_narrow_terminal_keeps_what_matters_most() -> None:
    assert bar_numbers(half_way(), 80) == "25 % · loss 1.482, val 1.560 nats/char · 41 min left"
    assert bar_numbers(half_way(), 20) == "25 % · loss 1.482, val 1.560 nats/char"


def test_a_budget_says_how_many_steps_it_has_time_for() -> None:
    progress = RunProgress()
    events = (
        RunStarted(time=0.0, run="anna-3", steps=1500, settings={"budget": 600.0}),
        PlanChanged(time=1.0, step=80, plan="budget", at_step=1300, epochs=3, steps=1300),
    )
    said = []
    for event in events:
        progress.add(event)
        said += lines_for(event, progress)
    assert said[1:] == [
        "1,500 steps fit into the budget of 10 min",
        "plan changed: 1,300 steps fit into the budget",
    ]


def test_before_the_first_step_there_are_no_figures() -> None:
    assert bar_numbers(RunProgress(), 80) == "preparing"


def test_a_validation_is_one_line_with_the_geometry_it_depends_on() -> None:
    progress = half_way()
    assert progress.last_evaluation is not None
    assert lines_for(progress.last_evaluation, progress) == [
        "epoch 3/20 · step 12,400/50,000 · loss 1.4823 nats/char · val loss 1.5600 nats/char (128 × 100) · "
        "11,300 chars/s · 41 min left"
    ]


def test_a_step_alone_takes_no_line() -> None:
    progress = half_way()
    step = a_step(12_401)
    progress.add(step)
    assert lines_for(step, progress) == []


def test_alarms_pauses_and_the_end_are_told() -> None:
    progress = half_way()
    alarm = AlarmRaised(time=2.0, step=5, kind="disk", message="last.safetensors could not be saved: disk full")
    assert lines_for(alarm, progress) == ["alarm: last.safetensors could not be saved: disk full"]
    assert lines_for(RunPaused(time=2.0, step=1200), progress) == ["paused at step 1,200"]
    end = RunFinished(time=3.0, step=12_400, state="stopped", reason="asked to stop", train_seconds=720)
    speed = "speed 11,300 chars/s, 216 GFLOP/s, 72 % of the machine's limit of 300"
    assert lines_for(end, progress) == ["stopped at step 12,400 after 12 min of training: asked to stop", speed]
    end = RunFinished(time=3.0, step=3, state="interrupted", reason="interrupted by Ctrl-C", train_seconds=1)
    assert lines_for(end, progress)[0] == "interrupted at step 3 after 1.0 s of training: by Ctrl-C"


def test_layers_that_are_not_ours_are_told_with_the_reason() -> None:
    def lines(lstm: str) -> list[str]:
        return lines_for(RunStarted(time=0.0, run="anna-3", device="cpu", lstm=lstm), half_way())

    assert lines("PyTorch's: no C compiler found")[1:] == ["LSTM layers are PyTorch's: no C compiler found"]
    assert lines("ours, compiled by /usr/bin/cc")[1:] == []

"""The figures of a run's steps as a table."""

from charrnn_tui.run.events import Evaluated, Event, RunPaused, RunStarted, StepDone
from charrnn_tui.run.loss_table import loss_table


def step(number: int, loss: float) -> StepDone:
    speeds = {"seconds": 0.5, "chars_per_second": 100.0, "train_seconds": number / 2}
    return StepDone(time=100.0 + number, step=number, epoch=1, loss=loss, grad_norm=2.0, lr=0.1, **speeds)


def validation(number: int, val_loss: float) -> Evaluated:
    losses = {"loss": 9.0, "val_loss": val_loss, "best_val_loss": val_loss, "best": True}
    return Evaluated(time=0.0, step=number, epoch=1, batch_size=1, seq_length=1, seconds=1.0, **losses)


def figures(*events: Event) -> list[tuple[int, float, float | None]]:
    return [(row.step, row.loss, row.val_loss) for row in loss_table(events)]


def test_a_validation_is_in_the_row_of_its_step() -> None:
    events = (RunStarted(time=0.0), step(1, 3.0), step(2, 2.0), validation(2, 2.5), RunPaused(time=0.0), step(3, 1.0))
    assert figures(*events) == [(1, 3.0, None), (2, 2.0, 2.5), (3, 1.0, None)]


def test_steps_that_a_resumed_training_repeats_are_there_once() -> None:
    before = (step(1, 3.0), step(2, 2.0), validation(2, 2.5), step(3, 1.0), validation(3, 1.5))
    resumed = RunStarted(time=0.0, resumed_at_step=1)
    assert figures(*before, resumed) == [(1, 3.0, None)]
    assert figures(*before, resumed, step(2, 2.1)) == [(1, 3.0, None), (2, 2.1, None)]
    assert figures(*before, step(2, 2.1)) == [(1, 3.0, None), (2, 2.1, None)]


def test_a_validation_made_up_for_after_resuming_belongs_to_the_last_step() -> None:
    resumed = RunStarted(time=0.0, resumed_at_step=2)
    assert figures(step(1, 3.0), step(2, 2.0), resumed, validation(2, 2.5)) == [(1, 3.0, None), (2, 2.0, 2.5)]

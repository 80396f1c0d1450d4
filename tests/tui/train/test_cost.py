"""What a training is estimated to cost."""

from charrnn_tui.run.events import RunStarted, StepDone
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.train.cost import training_speed


def measured(parameters: int, batch_size: int, chars_per_second: float) -> RunProgress:
    progress = RunProgress()
    progress.add(RunStarted(time=1.0, parameters=parameters, settings={"batch_size": batch_size}))
    progress.add(
        StepDone(
            time=2.0,
            step=1,
            epoch=1,
            loss=2.0,
            grad_norm=1.0,
            lr=0.001,
            seconds=1.0,
            chars_per_second=chars_per_second,
            train_seconds=1.0,
        )
    )
    return progress


def test_the_speed_is_that_of_the_newest_run_whose_model_is_large_enough_to_tell() -> None:
    small, large, older = measured(18_000, 1, 1_600.0), measured(900_000, 32, 10_000.0), measured(900_000, 32, 1.0)
    assert training_speed([small, large, older]) == (9e9, True)


def test_a_run_of_a_small_model_does_not_make_hours_of_minutes() -> None:
    speed, is_measured = training_speed([measured(18_000, 1, 1_600.0)])
    assert not is_measured
    assert speed > 18_000 * 1_600.0

"""What is asked before an ended run is resumed."""

import pytest
from textual.app import App

from charrnn_tui.run.events import AlarmRaised, RunFinished, RunStarted
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.dialogs.resume_question import resume_question
from tests.tui.pilot import screen_text, until
from tests.tui.scripted_training import step_done


async def test_a_run_that_patience_has_ended_is_asked_for_more() -> None:
    progress = RunProgress()
    progress.add(RunStarted(time=1.0, epochs=2, steps=200, steps_per_epoch=100, settings={"patience": 3}))
    progress.add(RunFinished(time=2.0, step=90, state="finished", reason="no improvement in 3 validations"))
    app: App[None] = App()
    async with app.run_test(size=(120, 30)) as pilot:
        asked = resume_question("anna-1", progress)
        assert asked is not None
        app.push_screen(asked[0])
        await until(pilot, lambda: "anna-1 ended: no improvement in 3 validations. Patience" in screen_text(app))
    assert asked[1]("6") == {"patience": 6}


@pytest.mark.parametrize(
    ("step", "said", "proposed"),
    [(200, "anna-1 has finished 2 epochs.", "3"), (7, "anna-1 has finished 7 steps, fewer than its 2 epochs.", "2")],
)
async def test_the_question_says_what_a_finished_run_has_done(step: int, said: str, proposed: str) -> None:
    progress = RunProgress()
    progress.add(RunStarted(time=1.0, epochs=2, steps=step, steps_per_epoch=100))
    progress.add(RunFinished(time=2.0, step=step, state="finished"))
    answers: list[str | None] = []
    app: App[None] = App()
    async with app.run_test(size=(120, 30)) as pilot:
        asked = resume_question("anna-1", progress)
        assert asked is not None
        app.push_screen(asked[0], answers.append)
        await until(pilot, lambda: said in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: answers)
    assert answers == [proposed]
    assert asked[1](proposed) == {"epochs": int(proposed)}


def test_a_run_that_has_lost_a_rank_is_resumed_as_it_is() -> None:
    progress = RunProgress()
    for event in (
        RunStarted(time=1.0, epochs=2, steps=9, steps_per_epoch=5),
        step_done(1),
        AlarmRaised(time=3.0, step=1, kind="ranks", message="m"),
        RunFinished(time=4.0, step=1, state="failed", reason="m"),
    ):
        progress.add(event)
    assert resume_question("anna-1", progress) is None

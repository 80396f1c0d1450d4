"""Losses that are worth a look are told, ordinary ones are not."""

import random

import pytest
from msgspec import structs

from charrnn_tui.run.alarms import LossWatch
from charrnn_tui.run.events import AlarmRaised
from tests.run.test_events import evaluated, step_done


class Course:
    """A training's losses, fed to a watch; `alarms` is what it has told."""

    def __init__(self, steps_per_epoch: int = 10, total: int = 100_000) -> None:
        self.watch, self.total, self.now = LossWatch(steps_per_epoch), total, 0
        self.alarms: list[AlarmRaised] = []
        self.best = float("inf")
        self.dice = random.Random(7)

    def train(self, steps: int, loss: float, noise: float = 0.05) -> None:
        for _ in range(steps):
            self.now += 1
            self.alarms += self.watch.step(step_done(self.now, self.dice.gauss(loss, noise)))

    def validate(self, val_loss: float) -> None:
        best = val_loss < self.best
        self.best = min(self.best, val_loss)
        values = evaluated(self.now, val_loss, best)
        self.alarms += self.watch.validation(structs.replace(values, best_val_loss=self.best), total_steps=self.total)

    @property
    def told(self) -> list[tuple[str, int]]:
        return [(alarm.kind, alarm.step) for alarm in self.alarms]


@pytest.fixture
def course() -> Course:
    return Course()


def test_a_training_that_gets_on_is_left_alone(course: Course) -> None:
    for number in range(60):
        course.train(20, 1.2 + 3 / (1 + number), noise=0.06)
        course.validate(1.3 + 3 / (1 + number))
    assert course.told == []


def test_a_spike_is_told_once_and_again_after_calm(course: Course) -> None:
    course.train(200, 1.5)
    course.train(5, 4.0)
    course.train(200, 1.5)
    course.train(1, 6.0, noise=0)
    assert course.told == [("spike", 201), ("spike", 406)]
    assert "loss spike at step 406: 6.000 after about 1." in course.alarms[1].message


def test_the_steep_beginning_is_no_spike(course: Course) -> None:
    for step in range(50):
        course.train(1, 4.4 if step % 7 == 0 else 3.0)
    assert course.told == []


def test_a_plateau_is_told_once_until_it_ends(course: Course) -> None:
    for _ in range(30):
        course.train(20, 1.5)
        course.validate(1.6)
    assert [kind for kind, _ in course.told] == ["plateau"]
    assert course.told[0][1] == 11 * 20
    for number in range(15):
        course.train(20, 1.4)
        course.validate(1.5 - number / 100)
    for _ in range(15):
        course.train(20, 1.4)
        course.validate(1.36)
    assert [kind for kind, _ in course.told] == ["plateau", "plateau"]


def test_at_the_end_of_a_run_a_plateau_is_no_news() -> None:
    course = Course(total=300)
    course.train(270, 1.5)
    for _ in range(15):
        course.train(2, 1.5)
        course.validate(1.6)
    assert course.told == []


def test_a_plateau_lasts_an_epoch_at_least() -> None:
    course = Course(steps_per_epoch=1000)
    for _ in range(30):
        course.train(20, 1.5)
        course.validate(1.6)
    assert course.told == []


def test_validation_that_rises_while_training_falls_marks_the_best(course: Course) -> None:
    for number in range(10):
        course.train(20, 2.0 - number / 10)
        course.validate(2.0 - number / 20)
    for number in range(10):
        course.train(20, 1.0 - number / 20)
        course.validate(1.6 + number / 50)
    assert course.told[0][0] == "overfitting"
    assert "best 1.5500 at step 200, which is kept" in course.alarms[0].message
    assert [kind for kind, _ in course.told].count("overfitting") == 1


def test_validation_that_rises_with_training_is_not_overfitting(course: Course) -> None:
    for number in range(5):
        course.train(100, 1.5)
        course.validate(1.6 - number / 100)
    for number in range(8):
        course.train(100, 1.6 + number / 20)
        course.validate(1.7 + number / 20)
    assert "overfitting" not in [kind for kind, _ in course.told]


def test_a_loss_that_is_not_a_number_is_somebody_else_s(course: Course) -> None:
    course.train(100, 1.5)
    course.validate(float("nan"))
    assert course.told == []

"""Threads are taken where they help, given up where they come late, and never while others are at work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from threadpoolctl import threadpool_info

from charrnn_tui.run.cores import at_work
from charrnn_tui.sampling.lstm import CharLSTM
from charrnn_tui.sampling.pace import LONGEST_REST, REST, STRETCH, TRIAL, Pace, with_threads
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.text.vocabulary import Vocabulary
from tests.sampling.random_networks import TorchCharRNN

ALONE = 0.4  # seconds that one thread takes for a character


class Machine:
    """A clock that only writing moves, by what a character takes with the threads in force."""

    def __init__(self, seconds: Callable[[int, int], float]) -> None:
        """seconds: of a number of threads, and of a character's place."""
        self._seconds = seconds
        self.now, self.threads, self.written = 0.0, 0, list[int]()

    @contextmanager
    def limit(self, threads: int) -> Iterator[None]:
        before, self.threads = self.threads, threads
        yield
        self.threads = before

    def write(self) -> int:
        self.now += self._seconds(max(1, self.threads), len(self.written))
        self.written.append(self.threads)
        return len(self.written)

    def pace(self, most: int) -> Pace:
        return Pace(most, self.limit, lambda: self.now)


def write(machine: Machine, most: int, characters: int) -> list[int]:
    """The threads that each character was written with."""
    with machine.pace(most) as pace:
        assert [pace.run(machine.write) for _ in range(characters)] == list(range(1, characters + 1))
    assert machine.threads == 0
    return machine.written


@pytest.mark.parametrize(("seconds", "best"), [({2: 0.25, 4: 0.2, 8: 0.3}, 4), ({2: 0.25, 4: 0.6, 8: 9.0}, 2)])
def test_the_number_of_threads_that_is_fastest_is_kept(seconds: dict[int, float], best: int) -> None:
    used = write(Machine(lambda threads, place: {1: ALONE, **seconds}[threads]), 8, 1000)
    assert set(used[4 * TRIAL :]) == {best}


def test_threads_that_hardly_help_are_left_to_others() -> None:
    used = write(Machine(lambda threads, place: ALONE if threads == 1 else 0.95 * ALONE), 2, TRIAL * 2 + REST)
    assert used == [1] * TRIAL + [2] * TRIAL + [1] * REST


def test_threads_that_come_late_cost_no_more_than_a_trial() -> None:
    used = write(Machine(lambda threads, place: ALONE if threads == 1 else 100 * ALONE), 8, 20 * LONGEST_REST)
    failed = sum(threads > 1 for threads in used)
    assert 0 < failed < 100  # one character for each number of threads and trial


def test_threads_are_given_up_when_they_begin_to_come_late_and_tried_again() -> None:
    busy = range(500, 1000)
    used = write(
        Machine(lambda threads, place: ALONE / threads * (50 if threads > 1 and place in busy else 1)), 2, 4000
    )
    assert set(used[2 * TRIAL : 500]) == {2}
    assert used[500 + STRETCH : 1000].count(2) < 10
    assert set(used[-1000:]) == {2}


def test_while_others_are_at_work_there_are_as_many_threads_as_before() -> None:
    machine = Machine(lambda threads, place: ALONE / threads)
    with machine.pace(2) as pace:
        for _ in range(2 * TRIAL + 1):
            pace.run(machine.write)
        assert machine.threads == 2
        with at_work():
            pace.run(machine.write)
            assert machine.threads == 0
        pace.run(machine.write)
        assert machine.threads == 2


@pytest.mark.parametrize("variable", ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"])
def test_what_the_user_has_set_is_not_exceeded(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    machine = Machine(lambda threads, place: ALONE / threads)
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "1")
    with Pace(limit=machine.limit, clock=lambda: machine.now) as pace:
        for _ in range(100):
            pace.run(machine.write)
    assert set(machine.written) <= {0, 1}


def blas() -> list[int]:
    return [found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"]


def test_numpy_s_products_have_so_many_threads_and_then_as_many_as_before() -> None:
    before = blas()
    with with_threads(2):
        assert blas() == [2] * len(before)
    assert blas() == before


def test_two_who_write_at_once_leave_the_threads_as_they_were() -> None:
    before = blas()
    first, second = Pace(2), Pace(2)
    with first:
        for _ in range(TRIAL + 1):
            first.run(lambda: None)
        assert blas() == [2] * len(before)
        with second:
            for _ in range(3 * TRIAL):
                second.run(lambda: None)
                first.run(lambda: None)
            assert blas() == before
        second.__enter__()
    second.run(lambda: None)
    second.__exit__(None, None, None)
    assert blas() == before


def test_threads_do_not_change_a_text() -> None:
    vocabulary = Vocabulary("\n abcdehnst")
    model = CharLSTM(TorchCharRNN(len(vocabulary), 256, 2).weights())
    texts = []
    for threads in (1, 2):
        sampler = Sampler(model, vocabulary, seed=3, prime="the cat")
        with with_threads(threads):
            texts.append([next(sampler).token_id for _ in range(200)])
    assert texts[0] == texts[1]

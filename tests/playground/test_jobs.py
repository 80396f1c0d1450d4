"""Background work: the newest submission of a key wins, results come on the thread that drains."""

import threading
import time
from collections.abc import Callable

import pytest

from charrnn_tui.playground.jobs import CancelToken, Jobs


def drained(jobs: Jobs, until: Callable[[], bool]) -> None:
    """Drain until a condition holds."""
    end = time.monotonic() + 10
    while not until():
        assert time.monotonic() < end
        jobs.drain()
        time.sleep(0.001)


def test_a_result_is_handed_over_on_the_thread_that_drains() -> None:
    jobs, seen = Jobs(), list[tuple[int, threading.Thread]]()
    jobs.submit("sum", lambda token: 1 + 2, lambda result: seen.append((result, threading.current_thread())))
    assert jobs.pending("sum")
    drained(jobs, lambda: bool(seen))
    assert seen == [(3, threading.current_thread())]
    assert jobs.idle


def test_the_newest_submission_of_a_key_replaces_the_one_before() -> None:
    jobs, seen, ended = Jobs(), list[str](), threading.Event()

    def endless(token: CancelToken) -> str:
        try:
            while True:
                token.check()
        finally:
            ended.set()

    jobs.submit("text", endless, seen.append)
    jobs.submit("text", lambda token: "second", seen.append)
    drained(jobs, lambda: bool(seen))
    assert ended.wait(10)
    jobs.drain()
    assert seen == ["second"]


def test_a_result_that_came_before_it_was_cancelled_is_dropped() -> None:
    jobs, seen, worked = Jobs(), list[str](), threading.Event()

    def work(token: CancelToken) -> str:
        worked.set()
        return "unwanted"

    jobs.submit("text", work, seen.append)
    assert worked.wait(10)
    jobs.cancel("text")
    jobs.submit("other", lambda token: "wanted", seen.append)
    drained(jobs, lambda: bool(seen))
    assert seen == ["wanted"]


def test_a_value_error_goes_to_failed_and_any_other_error_to_who_drains() -> None:
    def fail(error: Exception) -> Callable[[CancelToken], str]:
        def work(token: CancelToken) -> str:
            raise error

        return work

    jobs, failures = Jobs(), list[ValueError]()
    jobs.submit("file", fail(ValueError("no such file")), lambda result: None, failures.append)
    drained(jobs, lambda: bool(failures))
    assert str(failures[0]) == "no such file"
    jobs.submit("bug", fail(KeyError("bug")), lambda result: None, failures.append)
    with pytest.raises(KeyError):
        drained(jobs, lambda: jobs.idle and False)


def test_closing_cancels_every_job() -> None:
    jobs, tokens = Jobs(), list[CancelToken]()
    started = threading.Event()

    def work(token: CancelToken) -> None:
        tokens.append(token)
        started.set()
        while True:
            token.check()

    jobs.submit("a", work, lambda result: None)
    assert started.wait(10)
    jobs.close()
    assert tokens[0].cancelled
    assert jobs.idle

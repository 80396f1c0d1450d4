"""The mailbox between front ends and the trainer."""

import threading

from charrnn_tui.run.control import Control, Pause, Resume, Stop


def test_requests_are_taken_in_their_order() -> None:
    control = Control()
    assert control.take() is None
    control.request(Pause())
    control.request(Stop("interrupted", "SIGTERM"))
    assert control.take() == Pause()
    assert control.wait() == Stop("interrupted", "SIGTERM")
    assert control.take() is None


def test_who_waits_is_woken_by_a_request_from_another_thread() -> None:
    control = Control()
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.append(control.wait()))
    thread.start()
    control.request(Resume())
    thread.join(10)
    assert taken == [Resume()]


def test_a_request_that_was_seen_waiting_is_still_there_to_take() -> None:
    control = Control()
    letters = [[Stop("stopped", "by letter")], []]
    assert not control.waiting()
    control.listen(type("Box", (), {"take": lambda self: letters.pop(0) if letters else []})())
    assert control.waiting()
    assert control.waiting()
    assert control.take() == Stop("stopped", "by letter")
    control.request(Pause())
    assert control.waiting()
    assert control.take() == Pause()
    assert not control.waiting()

"""Requests from other processes: small files, read by the trainer."""

import json
from pathlib import Path

import pytest

from charrnn_tui.run.control import AddEpochs, Control, Pause, Request, Resume, RunSteps, ScaleLearningRate, Stop
from charrnn_tui.run.mailbox import Mailbox, leave_request


@pytest.fixture
def box(tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path, poll_seconds=0.0)


def test_requests_come_in_the_order_they_were_left_and_come_once(tmp_path: Path, box: Mailbox) -> None:
    asked: list[Request] = [Pause(), ScaleLearningRate(0.5), RunSteps(3), AddEpochs(2), Stop("stopped", "enough")]
    for request in asked:
        leave_request(tmp_path, request)
    assert box.take() == asked
    assert box.take() == []
    assert list((tmp_path / "control").iterdir()) == []


def test_what_was_left_for_an_earlier_trainer_is_not_for_the_next(tmp_path: Path) -> None:
    leave_request(tmp_path, Stop())
    assert Mailbox(tmp_path).take() == []


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"request": "share_weights"}',
        b'{"request": "scale_learning_rate"}',
        b'{"request": "scale_learning_rate", "factor": -1}',
        b'{"request": "scale_learning_rate", "factor": "much"}',
        pytest.param(b'{"request": "scale_learning_rate", "factor": 1' + 400 * b"0" + b"}", id="no-float-holds"),
        pytest.param(b"[" * 4000, id="brackets"),
        b'{"request": "run_steps", "steps": true}',
        b'{"request": "stop", "state": "finished"}',
    ],
)
def test_what_is_no_request_is_thrown_away(words: bytes, tmp_path: Path, box: Mailbox) -> None:
    (tmp_path / "control" / "1.json").write_bytes(words)
    leave_request(tmp_path, Resume())
    assert box.take() == [Resume()]
    assert list((tmp_path / "control").iterdir()) == []


def test_a_script_may_leave_a_request_by_hand(tmp_path: Path, box: Mailbox) -> None:
    (tmp_path / "control" / "mine.json").write_text(json.dumps({"request": "run_steps", "steps": 10}))
    assert box.take() == [RunSteps(10)]


def test_a_control_that_waits_hears_both_threads_and_letters(tmp_path: Path, box: Mailbox) -> None:
    control = Control()
    control.listen(box)
    assert control.take() is None
    leave_request(tmp_path, Pause())
    assert control.wait() == Pause()
    control.request(Resume())
    assert control.wait() == Resume()

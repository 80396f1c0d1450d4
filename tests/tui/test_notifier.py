"""Alarms reach who looks on, and what they offer works."""

import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

from charrnn_tui.run.config import Notifications
from charrnn_tui.run.control import Control
from charrnn_tui.run.directory import EventWriter, RunDirectory
from charrnn_tui.run.events import AlarmRaised, Event, RunFinished
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.app import Opening, StudioApp
from charrnn_tui.tui.notifier import RunNotifier
from charrnn_tui.tui.train.run_lines import alarm_line
from tests.tui.pilot import shows, until
from tests.tui.scripted_training import TrainingBackend, evaluated, started, step_done, write_events


class ResumingBackend(TrainingBackend):
    """Says what it was asked to go on with."""

    changes: Mapping[str, Any] | None = None

    def resume_run(
        self, run: RunDirectory, control: Control, changes: Mapping[str, Any]
    ) -> tuple[RunDirectory, Generator[Event, None, None]]:
        self.changes = dict(changes)
        return run, self._events(run, control)


@pytest.fixture
def backend(tmp_path: Path) -> ResumingBackend:
    return ResumingBackend(tmp_path / "runs")


def alarm(kind: str, step: int = 5, when: float = 0.0, message: str = "") -> AlarmRaised:
    return AlarmRaised(time=when or time.time(), step=step, kind=kind, message=message or f"something about {kind}")


def failed(backend: ResumingBackend, kind: str) -> RunDirectory:
    events = [started(), *map(step_done, range(1, 6)), alarm(kind, when=1.0)]
    ending = RunFinished(time=1.0, step=5, state="failed", reason=f"something about {kind}")
    return write_events(RunDirectory(backend.runs_directory / "lost-1"), [*events, ending])


async def test_a_new_alarm_rings_shows_and_titles_the_terminal(backend: ResumingBackend) -> None:
    run = write_events(
        RunDirectory(backend.runs_directory / "new-1"),
        [started(), *map(step_done, range(1, 6)), alarm("plateau", when=1.0)],
    )
    app = StudioApp(backend, Opening(run=run))
    rung: list[bool] = []
    written: list[str] = []
    app.notifier.ring, app.notifier.write = lambda: rung.append(True), written.append
    app.NOTIFICATION_TIMEOUT = 60  # a busy machine may not look in time
    async with app.run_test(size=(180, 30), notifications=True) as pilot:
        await shows(pilot, "! something about plateau")
        assert not rung  # it has rung for somebody else
        writer = EventWriter(run.events_file)
        writer.append(alarm("spike", message="loss spike at step 6: 9.000 after about 1.500 nats/char"))
        writer.close()
        await shows(pilot, "new-1: spike")
        await shows(pilot, "! loss spike at step 6: 9.000 after about 1.500 nats/char  (A: 1 more)")
        await pilot.press("A")
        await shows(pilot, "plateau, step 5")
    assert rung == [True]
    assert written[0].endswith("\x1b]2;! new-1: spike\x07")


async def test_the_end_of_a_training_rings_and_notifies_once(backend: ResumingBackend) -> None:
    run = RunDirectory(backend.runs_directory / "new-1")
    write_events(run, [started(), *map(step_done, range(1, 6)), evaluated(5, 1.25)])
    app, written, lock = StudioApp(backend, Opening(run=run)), list[str](), run.lock()
    app.notifier.write = written.append
    app.NOTIFICATION_TIMEOUT = 60  # a busy machine may not look in time
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await shows(pilot, "● training")
        writer = EventWriter(run.events_file)
        writer.append(RunFinished(time=time.time(), step=5, state="finished"))
        writer.close()
        await shows(pilot, "finished, best val 1.2500 nats/char, 4×10")
        app.notifier.notify(run.name, run.progress())
    lock.release()
    (notice,) = [sequences for sequences in written if "finished" in sequences]
    assert "\x07\x1b]2;new-1: finished" in notice
    assert "\x1b]9;new-1: finished" in notice
    assert "\x1b]777;notify;new-1;finished" in notice


async def test_a_loss_that_broke_offers_a_smaller_rate(backend: ResumingBackend) -> None:
    run = failed(backend, "nan")
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "✗ failed")
        await pilot.press("r")
        await shows(pilot, "failed. Learning rate for")
        await pilot.press("enter")
        await until(pilot, lambda: backend.changes == {"lr": 0.0005})
        await until(pilot, lambda: app.active_run is not None)
        app.quit_saving(0, "stopped", "the test is done")
        await until(pilot, lambda: app.active_run is None or app.active_run.done)


async def test_a_lost_device_offers_the_processor(backend: ResumingBackend) -> None:
    run = failed(backend, "device")
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "✗ failed")
        await pilot.press("r")
        await shows(pilot, "on the CPU")
        await pilot.press("c")
        await until(pilot, lambda: backend.changes == {"device": "cpu"})
        await until(pilot, lambda: app.active_run is not None)
        app.quit_saving(0, "stopped", "the test is done")
        await until(pilot, lambda: app.active_run is None or app.active_run.done)


async def test_each_alarm_rings_once(backend: ResumingBackend) -> None:
    app, progress, written = StudioApp(backend, Opening()), RunProgress(), list[str]()
    progress.add(alarm("disk", when=1.0))
    async with app.run_test():
        app.notifier.write = written.append
        for rung in range(1, 4):
            progress.add(alarm("spike"))
            app.notifier.notify("a", progress)
            app.notifier.notify("a", progress)
            assert len(written) == rung


def test_a_long_alarm_is_cut_and_says_where_the_rest_is() -> None:
    progress = RunProgress()
    progress.add(alarm("disk", message="the disk is nearly full, " * 10))
    line = alarm_line(progress, 40)
    assert line == "! the disk is nearly full, …  (A: all)"


@pytest.mark.parametrize(("in_app", "terminal"), [(True, True), (True, False), (False, True), (False, False)])
async def test_the_settings_switch_each_kind_of_notice_off(tmp_path: Path, in_app: bool, terminal: bool) -> None:
    app = StudioApp(ResumingBackend(tmp_path), Opening())
    shown, rung, written = list[str](), list[bool](), list[str]()
    notifier = RunNotifier(app, written.append, Notifications(in_app, terminal))
    notifier.ring = lambda: rung.append(True)
    async with app.run_test():
        app.notify = lambda message, **named: shown.append(message)  # type: ignore[method-assign]
        progress, later = RunProgress(), time.time() + 60
        ending = RunFinished(time=later, step=5, state="finished", reason="")
        for event in (started(), *map(step_done, range(1, 6)), alarm("spike", when=later), ending):
            progress.add(event)
        notifier.notify("new-1", progress)
    assert (len(shown), len(rung)) == ((2, 1) if in_app else (0, 0))
    assert any("\x1b]9;" in sequence for sequence in written) == terminal
    assert bool(written) == (in_app or terminal)  # the title tells of an alarm, too

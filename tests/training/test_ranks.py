"""Two processes train as one does."""

import dataclasses
import math
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
import torch.distributed as dist

from charrnn_tui.run.control import Control, ScaleLearningRate, Stop
from charrnn_tui.run.events import AlarmRaised, Evaluated, Event, RunFinished, StepDone
from charrnn_tui.run.ranks import torchrun
from charrnn_tui.run.settings import SettingsError, TrainSettings
from charrnn_tui.training import follower, launch
from charrnn_tui.training.devices import Placement
from charrnn_tui.training.launch import _Processes, leading
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.ranks import Ranks
from charrnn_tui.training.resume_state import read_resume_state
from charrnn_tui.training.schedule import learning_rate
from tests.training.lone_rank import LoneRank
from tests.training.small_trainings import asking, of_kind, small_corpus, small_settings, trained

pytestmark = pytest.mark.skipif(not dist.is_available(), reason="this PyTorch has no torch.distributed")
CLIPPED = small_settings(clip=0.2, schedule="one-cycle", val_frac=0.2)  # at some steps, by the norm of all rows


def figures(events: list[Event]) -> list[tuple[float, ...]]:
    steps = [(event.step, event.loss, event.grad_norm, event.lr) for event in of_kind(events, StepDone)]
    return steps + [(event.step, event.val_loss, event.loss, 0.0) for event in of_kind(events, Evaluated)]


def test_two_ranks_learn_what_one_does_and_one_goes_on_with_what_two_have_learned(tmp_path: Path) -> None:
    control = Control()
    one = figures(trained(CLIPPED, None, control, at=asking(control, 3, ScaleLearningRate(0.5))))
    norms = [norm for _, _, norm, rate in one if rate]
    assert min(norms) < CLIPPED.clip < max(norms)
    two, more = tmp_path / "two", dataclasses.replace(CLIPPED, ranks=2)
    at = asking(control, 3, ScaleLearningRate(0.5))

    def stop(event: Event) -> None:
        at(event)
        asking(control, 5, Stop())(event)

    begun = trained(more, two, control, at=stop)
    state = read_resume_state(two / "resume.pt")
    assert (begun[-1].step, state.step, state.hidden[0].shape) == (5, 5, (2, 8, 8))
    rest = trained(CLIPPED, two, resume=state)
    done = [row for row in figures(begun) + figures(rest) if row[3]]
    np.testing.assert_allclose(done, [row for row in one if row[3]], rtol=1e-4)
    again = trained(more, two, resume=state)  # and two with what one, or two, had
    np.testing.assert_allclose(figures(again), figures(rest), rtol=1e-4)


def test_a_rank_that_dies_ends_the_training_and_two_go_on_from_the_last_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, others = small_settings(ranks=2, drop_prob=0.5), list[int]()
    start = _Processes.__init__

    def remembered(self: _Processes, size: int) -> None:
        start(self, size)
        others.extend(process.pid for process in self._processes.values())

    monkeypatch.setattr(_Processes, "__init__", remembered)

    def kill(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 4:
            os.kill(others[-1], signal.SIGKILL)

    events = trained(settings, tmp_path, at=kill)
    end = events[-1]
    assert isinstance(end, RunFinished)
    assert end.state == "failed"
    assert end.reason == (
        "rank 1 has ended (killed by SIGKILL) after step 4; the state of step 0 is on disk: resume the run from there"
    )
    assert [alarm.kind for alarm in of_kind(events, AlarmRaised)] == ["ranks"]
    rest = trained(settings, tmp_path, resume=read_resume_state(tmp_path / "resume.pt"))
    assert [event.step for event in of_kind(rest, StepDone)] == list(range(1, 19))
    before = [row for row in figures(events) if row[3]]
    assert figures(rest)[:4] == before[:4], "each rank draws its dropout from the step"


def test_a_shared_step_is_the_step_and_the_others_are_told_when_it_is_not_finite() -> None:
    lone, plain = LoneRank(), Learner(CLIPPED, small_corpus())
    learner = Learner(CLIPPED, small_corpus(), ranks=cast(Ranks, lone))
    assert [learner.learn().loss for _ in range(12)] == [plain.learn().loss for _ in range(12)]
    rates = [learning_rate("one-cycle", 0.01, step, learner.steps) for step in range(12)]
    assert lone.sent == [("share", 0, 0.0), *(("step", step, rate) for step, rate in enumerate(rates))]
    before = learner.weights()
    learner.hidden = (learner.hidden[0] * math.nan, learner.hidden[1])
    assert math.isnan(learner.learn().loss)
    assert lone.sent[-1][0] == "undo"
    assert all((before[name] == tensor).all() for name, tensor in learner.weights().items())


def test_a_rank_that_has_left_a_step_asks_the_others_for_nothing() -> None:
    ranks = object.__new__(Ranks)
    ranks.torn, ranks._processes = True, None
    with pytest.raises(RuntimeError, match="another rank has ended"):
        ranks.send("gather")


@pytest.mark.parametrize(
    ("device", "words"),
    [("mps", "works on cpu and cuda, not on mps"), ("cuda", "2 ranks need a GPU each, and this machine has 1; choose")],
)
def test_what_has_no_device_for_each_rank_is_refused(device: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "place", lambda settings, tokens: Placement(device, "", "float32", settings.threads))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(SettingsError, match=f"--ranks: {words}"), leading(small_settings(ranks=2), small_corpus()):
        pass


def test_the_cores_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(settings: TrainSettings, tokens: int) -> Placement:
        raise SettingsError("threads", str(settings.threads))

    monkeypatch.setattr(launch, "place", stop)
    monkeypatch.setattr(launch, "available_cores", lambda: 9)
    for threads, each in ((None, 4), (3, 3)):
        settings = small_settings(ranks=2, threads=threads)
        with pytest.raises(SettingsError, match=f"--threads: {each}$"), leading(settings, small_corpus()):
            pass


def test_a_process_ends_with_the_one_that_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = iter([7, 7, 1])

    def leave(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(follower, "_POLL_SECONDS", 0.0)
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(os, "_exit", leave)
    with pytest.raises(SystemExit, match="1"):
        follower._end_with(7)
    assert list(parents) == []


def test_a_rank_that_cannot_join_says_why_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("no room\nfor it")

    monkeypatch.setattr(follower, "_end_with", lambda starter: None)
    monkeypatch.setattr(follower, "join_local", fail)
    assert follower.main(["1", "2", "there", str(os.getppid())]) == 1
    assert capsys.readouterr().err == "rank 1: no room\n"


def test_a_batch_whose_rows_cannot_be_shared_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"--ranks: 3 ranks cannot share 8 rows .* such as 6"):
        small_settings(ranks=3)
    with pytest.raises(SettingsError, match=r"--ranks: 16 ranks cannot share 8 rows .* such as 16"):
        small_settings(ranks=16)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda env: env, (1, 4, 1, 2)),
        (lambda env: {**env, "WORLD_SIZE": "1", "RANK": "0"}, None),
        (lambda env: {**env, "RANK": "x"}, None),
        (lambda env: {name: value for name, value in env.items() if name != "TORCHELASTIC_RUN_ID"}, None),
    ],
)
def test_what_torchrun_says(
    change: Callable[[dict[str, str]], dict[str, str]], expected: tuple[int, ...] | None
) -> None:
    names = "RANK=1 WORLD_SIZE=4 LOCAL_RANK=1 LOCAL_WORLD_SIZE=2 MASTER_ADDR=h MASTER_PORT=1"
    said = torchrun(change(dict(part.split("=") for part in names.split()) | {"TORCHELASTIC_RUN_ID": "j"}))
    found = None if said is None else (said.rank, said.size, said.local_rank, said.local_size)
    assert found == expected

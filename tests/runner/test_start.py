"""A run from its request to its last event, on disk: stopped, left, broken, killed."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from charrnn_tui.checkpoint.safetensors_file import read_checkpoint
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.control import Control, Pause, Stop
from charrnn_tui.run.directory import EventWriter, RunDirectory, RunError, list_runs
from charrnn_tui.run.event_tail import EventTail
from charrnn_tui.run.events import (
    AlarmRaised,
    CheckpointSaved,
    Event,
    RunFinished,
    RunStarted,
    SampleWritten,
    StepDone,
)
from charrnn_tui.run.fitting import fit_to_text
from charrnn_tui.run.lock import RunLocked
from charrnn_tui.run.settings import DEFAULT_PRESET, RunRequest, SettingsError, TrainSettings, settings_for
from charrnn_tui.runner.resume import resume_run
from charrnn_tui.runner.start import RecordedTraining, of_one_rank, start_run, write_sample
from charrnn_tui.sampling.recipe import Recipe
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.batches import TextTooShort
from charrnn_tui.text.corpus import CorpusError, load_corpus
from charrnn_tui.training.devices import available_devices
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.resume_state import read_resume_state
from tests.training.conftest import FakeDevice
from tests.training.small_trainings import of_kind, small_settings, small_text

Stream = Generator[Event, None, None]


@pytest.fixture
def text(tmp_path: Path) -> str:
    """A file with the small text."""
    (tmp_path / "small.txt").write_text(small_text())
    return str(tmp_path / "small.txt")


def started(
    tmp_path: Path, text: str, settings: TrainSettings | None = None, control: Control | None = None
) -> tuple[RunDirectory, Stream]:
    request = RunRequest((text,), settings or small_settings())
    return start_run(request, tmp_path / "runs", control or Control())


def started_with(
    make_learner: Any, tmp_path: Path, text: str, settings: TrainSettings, detached: bool = False
) -> tuple[RunDirectory, Stream]:
    """As `started`, trained by another learner."""
    control, directory = Control(), RunDirectory.create(tmp_path / "runs", "small")
    corpus = load_corpus([text])
    training = RecordedTraining(directory, [text], corpus, settings, directory.lock())
    return directory, training.events(control, new=True, make_learner=make_learner, detached=detached)


def test_a_text_of_any_size_trains_without_options_as_in_the_form(tmp_path: Path) -> None:
    """33 kB: the notebook's batches would be too long for its validation part."""
    path, names = tmp_path / "names.txt", small_text(33_000)
    path.write_text(names)
    request = RunRequest((str(path),), settings_for(DEFAULT_PRESET), given=frozenset())
    _, stream = start_run(request, tmp_path / "runs", Control())
    first = next(stream)
    assert isinstance(first, RunStarted)
    stored = first.settings
    assert stored == fit_to_text(settings_for(DEFAULT_PRESET), len(names)).to_json()
    assert stored["n_hidden"] < settings_for(DEFAULT_PRESET).n_hidden
    stream.close()


def test_what_is_told_is_what_is_written(tmp_path: Path, text: str) -> None:
    directory, stream = started(tmp_path, text)
    assert directory.name == "small-1"
    assert directory.trainer() == str(os.getpid())
    with pytest.raises(RunLocked):
        directory.lock()
    events = []
    for event in stream:
        events.append(event)
        assert list(EventTail(directory.events_file).read()) == events
    assert directory.trainer() is None
    assert directory.progress().state == "finished"
    settings = directory.read_settings()
    assert settings["corpus"] == [text]
    assert TrainSettings.from_json(settings["settings"]) == small_settings()
    assert settings["corpus_sha256"] == read_checkpoint(directory.best_file).facts["corpus_sha256"]
    assert {event.prime for event in of_kind(events, SampleWritten)} == {""}
    assert all(len(event.text) == 5 for event in of_kind(events, SampleWritten))


@pytest.mark.parametrize(
    ("settings", "data", "error"),
    [
        (small_settings(), None, CorpusError),
        (small_settings(), "", CorpusError),
        (small_settings(seq_length=1000), "ab" * 600, TextTooShort),
    ],
)
def test_what_is_wrong_with_the_text_is_found_before_anything_is_made(
    tmp_path: Path, settings: TrainSettings, data: str | None, error: type[Exception]
) -> None:
    if data is not None:
        (tmp_path / "text.txt").write_text(data)
    with pytest.raises(error):
        started(tmp_path, str(tmp_path / "text.txt"), settings)
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(sys.platform == "darwin", reason="its file names are always UTF-8")
def test_the_name_of_a_text_need_not_be_utf_8(tmp_path: Path) -> None:
    text = os.fsdecode(bytes(tmp_path) + b"/caf\xe9.txt")
    Path(text).write_text(small_text())
    directory, stream = started(tmp_path, text, small_settings(max_steps=2))
    events = list(stream)
    assert directory.read_settings()["corpus"] == [text]
    assert list(EventTail(directory.events_file).read()) == events
    assert of_kind(events, RunStarted)[0].corpus == "caf\udce9"
    assert read_checkpoint(directory.last_file).facts["corpus"] == "caf\udce9"
    recipe = Recipe(text, "0" * 64, "", 0, {0: 1}, {0: SamplingSettings()}, {})
    assert Recipe.parse(json.dumps(recipe.as_json())) == recipe
    _, resumed = resume_run(directory, Control(), {"max_steps": 3})
    assert of_kind(list(resumed), RunFinished)[0].step == 3


def test_a_run_that_never_began_leaves_nothing_behind(tmp_path: Path, text: str) -> None:
    lacking = next(device for device in ("cuda", "mps") if device not in available_devices())
    _, stream = started(tmp_path, text, small_settings(device=lacking))
    with pytest.raises(SettingsError, match=f"--device: {lacking} is not available"):
        next(stream)
    assert list((tmp_path / "runs").iterdir()) == []


class Exhausted(Learner):
    """Has not enough memory for the first step."""

    def learn(self, until: int = 0) -> StepDone:
        raise MemoryError


def test_a_run_that_fails_in_its_first_step_leaves_nothing_behind(tmp_path: Path, text: str) -> None:
    _, stream = started_with(Exhausted, tmp_path, text, small_settings())
    with pytest.raises(MemoryError):
        list(stream)
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_detached_run_that_fails_in_its_first_step_says_why(tmp_path: Path, text: str) -> None:
    directory, stream = started_with(Exhausted, tmp_path, text, small_settings(), detached=True)
    with pytest.raises(MemoryError):
        list(stream)
    assert directory.progress().reason.startswith("not enough memory")


def test_runs_that_were_killed_before_their_first_step_go_with_the_next_start(tmp_path: Path, text: str) -> None:
    killed, elsewhere, resumable = (RunDirectory(tmp_path / "runs" / name) for name in ("killed", "elsewhere", "saved"))
    for run in (killed, elsewhere, resumable):
        run.path.mkdir(parents=True)
        run.lock().release()
        run.events_file.touch()
    (elsewhere.path / "lock").write_text("123 another.host")
    resumable.resume_file.touch()
    _, stream = started(tmp_path, text)
    list(stream)
    assert {run.name for run in list_runs(tmp_path / "runs")} >= {"elsewhere", "saved"}
    assert not killed.path.exists()


def test_a_disk_without_room_for_the_run_is_told_in_one_line(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunDirectory, "write_settings", full)
    with pytest.raises(RunError, match="small-1: cannot be written: No space left on device"):
        started(tmp_path, text)
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_run_left_early_is_saved_free_and_says_so(tmp_path: Path, text: str) -> None:
    directory, stream = started(tmp_path, text)
    with closing(stream):
        seen = next(event for event in stream if isinstance(event, StepDone) and event.step == 5)
    assert read_checkpoint(directory.last_file).facts["step"] == seen.step
    assert directory.trainer() is None
    progress = directory.progress()
    assert (progress.state, progress.reason, progress.step) == ("interrupted", "left early", 5)
    assert progress.ending is not None
    assert progress.ending.train_seconds == seen.train_seconds


def test_steps_that_were_done_ahead_of_a_run_left_early_are_written(tmp_path: Path, text: str) -> None:
    directory, stream = started_with(FakeDevice(4).learner, tmp_path, text, small_settings(print_every=100))
    with closing(stream):
        seen = next(event for event in stream if isinstance(event, StepDone) and event.step == 5)
    steps = [event.step for event in of_kind(list(EventTail(directory.events_file).read()), StepDone)]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) > seen.step
    assert read_resume_state(directory.resume_file).step == directory.progress().step == len(steps)


def test_a_run_left_after_its_last_event_keeps_its_state(tmp_path: Path, text: str) -> None:
    directory, stream = started(tmp_path, text)
    next(event for event in stream if isinstance(event, RunFinished))
    stream.close()
    assert directory.progress().state == "finished"
    assert len(of_kind(list(EventTail(directory.events_file).read()), RunFinished)) == 1


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("it broke\nand a page of advice", "it broke"),
        ("CUDA out of memory\nand a page", "not enough memory; try a smaller --n-hidden, --batch-size or --seq-length"),
    ],
)
def test_an_error_in_mid_training_is_the_run_s_last_word(message: str, reason: str, tmp_path: Path, text: str) -> None:
    class Breaking(Learner):
        def learn(self, until: int = 0) -> StepDone:
            if self.step == 5:
                raise RuntimeError(message)
            return super().learn(until)

    directory, stream = started_with(Breaking, tmp_path, text, small_settings())
    seen = next(event for event in stream if isinstance(event, StepDone) and event.step == 5)
    with pytest.raises(RuntimeError):
        list(stream)
    ending = directory.progress().ending
    assert ending is not None
    assert (ending.state, ending.reason) == ("failed", reason)
    assert (ending.step, ending.train_seconds) == (5, seen.train_seconds)
    assert directory.trainer() is None


def test_a_full_disk_is_an_alarm_for_who_looks_on(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    directory, stream = started(tmp_path, text)
    write = EventWriter.append

    def full_for_a_while(self: EventWriter, event: Event) -> None:
        write(self, event)
        self.error = OSError(28, "No space left on device") if 3 <= event.step <= 6 else None

    monkeypatch.setattr(EventWriter, "append", full_for_a_while)
    events = list(stream)
    assert [alarm.message for alarm in of_kind(events, AlarmRaised)] == [
        "events.jsonl could not be written: No space left on device"
    ]
    assert of_kind(events, AlarmRaised)[0].step == 3
    assert isinstance(events[-1], RunFinished)
    assert directory.progress().state == "finished"


def test_a_sample_uses_what_the_alphabet_has_of_its_prime(tmp_path: Path, text: str) -> None:
    directory, stream = started(tmp_path, text)
    list(stream)
    checkpoint = read_checkpoint(directory.last_file)
    settings = small_settings(sample_prime="hΩapΩpy", sample_length=20)
    prime, sample = write_sample(checkpoint, settings)
    assert (prime, len(sample)) == ("happy", 20)
    assert write_sample(checkpoint, settings) == (prime, sample)
    assert set(sample) <= set(load_corpus([text]).vocabulary.tokens)


def test_another_thread_can_stop_the_training_of_this_process(tmp_path: Path, text: str) -> None:
    control = Control()
    control.request(Pause())
    directory, stream = started(tmp_path, text, control=control)
    active = ActiveRun(directory, stream, control)
    assert not active.done
    active.stop("interrupted", "the terminal was closed")
    active.join(60)
    assert active.done
    assert active.error is None
    assert (directory.progress().state, directory.progress().reason) == ("interrupted", "the terminal was closed")
    assert directory.last_file.exists()


def test_an_error_in_the_stream_is_kept(tmp_path: Path) -> None:
    closed = threading.Event()

    def failing() -> Stream:
        try:
            yield RunStarted(time=1.0)
            raise ValueError("broken")
        finally:
            closed.set()

    active = ActiveRun(RunDirectory(tmp_path), failing(), Control())
    active.join(60)
    assert active.done
    assert closed.is_set()
    assert str(active.error) == "broken"


def test_many_threads_may_ask_at_once(tmp_path: Path, text: str) -> None:
    control = Control()
    _, stream = started(tmp_path, text, small_settings(epochs=10_000), control)
    asking = [threading.Thread(target=control.request, args=(request,)) for request in [Pause()] * 5 + [Stop()] * 5]
    for thread in asking:
        thread.start()
    events = list(stream)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].state == "stopped"


TRAIN = """
import sys, pathlib
from charrnn_tui.runner.start import start_run
from charrnn_tui.run.control import Control
from charrnn_tui.run.settings import RunRequest
from tests.training.conftest import FakeDevice
from tests.training.small_trainings import small_settings
settings = small_settings(epochs=1_000_000, print_every=3)
directory, events = start_run(RunRequest((sys.argv[1],), settings), pathlib.Path(sys.argv[2]), Control())
for event in events:
    print(type(event).__name__, flush=True)
"""


def test_a_kill_at_any_moment_leaves_a_checkpoint_that_loads_and_a_log_that_reads(tmp_path: Path, text: str) -> None:
    for moment, events_seen in enumerate((2, 9, 60)):
        runs = tmp_path / str(moment)
        command = [sys.executable, "-c", TRAIN, text, str(runs)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as trainer:
            assert trainer.stdout is not None
            for _ in range(events_seen):
                trainer.stdout.readline()
            directory = list_runs(runs)[0]
            assert directory.trainer() == str(trainer.pid)
            trainer.send_signal(signal.SIGKILL)
        assert directory.trainer() is None
        progress = directory.progress()
        assert (progress.state, progress.reason) == ("interrupted", "the training process exited")
        assert progress.started is not None
        assert list(progress.steps) == list(range(1, len(progress.steps) + 1))
        assert read_checkpoint(directory.last_file).finite
        if progress.best_evaluation is not None and events_seen == 60:
            assert read_checkpoint(directory.best_file).facts["val_loss"] <= progress.val_losses[0]
        saved = [event for event in EventTail(directory.events_file).read() if isinstance(event, CheckpointSaved)]
        assert saved
        directory.lock().release()  # the next trainer may come


def test_a_budget_measures_what_one_rank_does() -> None:
    settings = TrainSettings(batch_size=12, ranks=3)
    assert of_one_rank(settings, 8) == TrainSettings(batch_size=4, threads=2)
    assert of_one_rank(TrainSettings(batch_size=12, ranks=3, threads=5), 8) == TrainSettings(batch_size=4, threads=5)
    assert of_one_rank(TrainSettings(), 8) == TrainSettings()

"""A run from its request to its last event: the text read, the directory made, the events recorded."""

import shutil
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import Any

from charrnn_tui import __version__
from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.run.control import Control
from charrnn_tui.run.directory import EventWriter, RunDirectory, RunError
from charrnn_tui.run.events import AlarmRaised, CheckpointSaved, Event, RunFinished, RunPaused, StepDone
from charrnn_tui.run.fitting import with_rare_validations
from charrnn_tui.run.lock import RunLock
from charrnn_tui.run.mailbox import Mailbox
from charrnn_tui.run.settings import RunRequest, TrainSettings
from charrnn_tui.runner.failures import FAILED, explain
from charrnn_tui.runner.lasting_imports import imports_for_good
from charrnn_tui.sampling.lstm import CharLSTM
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.batches import check_geometry
from charrnn_tui.text.corpus import Corpus, load_corpus
from charrnn_tui.text.ids_cache import TEXTS

Stream = Generator[Event, None, None]
Started = tuple[RunDirectory, Stream]


def start_run(request: RunRequest, runs: Path, control: Control, *, detached: bool = False) -> Started:
    """Make the run's directory and the stream that trains it, driven by whoever asks for its next event.

    Everything that can be wrong with the text is found before anything is made. Raises CorpusError, TextTooShort,
    RunError.
    """
    settings = request.settings
    corpus = load_corpus(request.corpus, settings.encoding, runs / TEXTS)
    if request.rarely_validated:
        settings = with_rare_validations(settings, len(corpus))
    check_geometry(len(corpus), settings.batch_size, settings.seq_length, settings.val_frac)
    directory = RunDirectory.create(runs, corpus.name, request.name)
    files = [str(Path(path).resolve()) for path in request.corpus]
    try:
        recording = Recording(directory, settings_file(directory, files, corpus, settings))
    except OSError as error:  # a full disk, mostly
        shutil.rmtree(directory.path, ignore_errors=True)
        raise RunError(f"{directory.path}: cannot be written: {error.strerror or error}") from None

    def begin() -> Stream:
        from charrnn_tui.training.trainer import train  # torch takes seconds: not before a training is asked for

        return train(
            *(settings, corpus, control, directory.path, write_sample),
            detached=detached,
            sync_events=recording.writer.sync,
            on_late_event=recording.append,
        )

    return directory, recorded(begin, recording, control, new=True)


def settings_file(run: RunDirectory, files: list[str], corpus: Corpus, settings: TrainSettings) -> dict[str, Any]:
    """What a run was asked to do, and what it needs to be resumed."""
    return {
        "name": run.name,
        "corpus": files,
        "corpus_sha256": corpus.sha256,
        "settings": settings.to_json(),
        "version": __version__,
    }


class Recording:
    """The files of a run that its trainer holds open: the lock and the log."""

    def __init__(self, directory: RunDirectory, settings: dict[str, Any], lock: RunLock | None = None) -> None:
        """Write the settings. A lock that is handed in stays its owner's to release where this fails."""
        self.directory = directory
        with ExitStack() as opened:
            if lock is None:
                lock = directory.lock()
                opened.callback(lock.release)
            self.lock = lock
            self.last: Event | None = None
            self._train_seconds = 0.0
            self.writer = EventWriter(directory.events_file)
            opened.callback(self.writer.close)
            directory.write_settings(settings)
            opened.pop_all()  # from here on the stream closes them

    def append(self, event: Event) -> None:
        """Write one event."""
        self.writer.append(event)
        self.last = event
        if isinstance(event, StepDone):
            self._train_seconds = event.train_seconds

    def cut_off(self, state: str, reason: str) -> None:
        """Write the last event of a training that could not tell it itself; none for one that has told nothing yet."""
        if self.last is not None and not isinstance(self.last, RunFinished):
            seconds = self._train_seconds
            self.writer.append(
                RunFinished(time=time.time(), step=self.last.step, state=state, reason=reason, train_seconds=seconds)
            )

    def close(self) -> None:
        """The run is free for the next trainer."""
        self.writer.close()
        self.lock.release()


def recorded(begin: Callable[[], Stream], recording: Recording, control: Control, *, new: bool) -> Stream:
    """The events of the training, each written to the run's directory before it is passed on."""
    directory, writer = recording.directory, recording.writer
    told = False
    try:
        control.listen(Mailbox(directory.path))
        with closing(_begun(begin)) as events:
            for event in events:
                recording.append(event)
                if isinstance(event, CheckpointSaved | RunPaused | RunFinished):
                    writer.sync()
                if writer.error is not None and not told:
                    alarm = _unwritten(event, directory, writer.error)
                    writer.append(alarm)
                    yield alarm
                told = writer.error is not None
                yield event
    except (GeneratorExit, KeyboardInterrupt):  # nobody asks for more; the trainer has saved its last checkpoint
        recording.cut_off("interrupted", "left early")
        raise
    except Exception as error:
        message, _ = explain(error) or (str(error) or type(error).__name__, FAILED)
        recording.cut_off("failed", message.splitlines()[0])
        raise
    finally:
        recording.close()
        if recording.last is None and new:  # nothing was trained: leave no empty run behind
            shutil.rmtree(directory.path, ignore_errors=True)


def _begun(begin: Callable[[], Stream]) -> Stream:
    """The stream, whose first event comes when PyTorch is imported, the last of it as the learner is made.

    A look through its objects for garbage would hold up the app's keys for 0.2 s, again and again.
    """
    with imports_for_good():
        events = begin()
        first = next(events)
    with closing(events):
        yield first
        yield from events


def _unwritten(event: Event, directory: RunDirectory, error: OSError) -> AlarmRaised:
    """The events wait in memory for the disk; this one is for who looks on."""
    message = f"{directory.events_file.name} could not be written: {error.strerror or error}"
    return AlarmRaised(time=time.time(), step=event.step, kind="disk", message=message)


def write_sample(checkpoint: Checkpoint, settings: TrainSettings) -> tuple[str, str]:
    """(prime, text) by the model as it is, always with the same prime and seed, so that samples can be compared."""
    vocabulary = checkpoint.vocabulary
    prime = "".join(char for char in settings.sample_prime if char in vocabulary.index)
    sampling = SamplingSettings(top_k=settings.sample_top_k)
    sampler = Sampler(CharLSTM(checkpoint), vocabulary, sampling, seed=settings.sample_seed, prime=prime)
    return prime, "".join(sampled.character for sampled in islice(sampler, settings.sample_length))

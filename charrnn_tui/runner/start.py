"""Starting a run: read the text, make the directory, and record the events of the training."""

import math
import shutil
import time
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from charrnn_tui import __version__
from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.native.cores import available_cores
from charrnn_tui.run.budget import Budget
from charrnn_tui.run.control import Control
from charrnn_tui.run.directory import EventWriter, RunDirectory, RunError, list_runs
from charrnn_tui.run.events import AlarmRaised, CheckpointSaved, EndState, Event, RunFinished, RunPaused, StepDone
from charrnn_tui.run.fitting import FITTED, fit_to_budget, fit_to_text
from charrnn_tui.run.lock import RunLock
from charrnn_tui.run.mailbox import Mailbox
from charrnn_tui.run.ranks import torchrun
from charrnn_tui.run.settings import RunRequest, StoredRequest, TrainSettings
from charrnn_tui.runner.failures import FAILED, explain
from charrnn_tui.runner.fine_tuning import SIZES, open_start, read_old_text
from charrnn_tui.runner.heavy_imports import heavy_imports
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.array_cache import TEXTS
from charrnn_tui.text.batches import check_geometry
from charrnn_tui.text.byte_text import joined
from charrnn_tui.text.corpus import Corpus, load_corpus
from charrnn_tui.text.text_settings import TextSettings

Stream = Generator[Event, None, None]
Started = tuple[RunDirectory, Stream]


def start_run(request: RunRequest, runs: Path, control: Control, *, detached: bool = False) -> Started:
    """Make the directory of a run, and the stream of events that trains it as its events are asked for.

    Nothing is made if something is wrong with the text, or the budget is too short. Raises CorpusError, TextTooShort,
    SettingsError, RunError.
    """
    settings, given, start = request.settings, request.given, None
    budget = Budget(settings.budget or math.inf)
    if settings.init_from:
        settings, start = open_start(settings, given or (), runs)
        given = frozenset(FITTED if given is None else given) | set(SIZES)
    corpus = load_corpus(request.corpus, TextSettings.of(settings.to_json()), runs / TEXTS)
    if given is not None:
        settings = fit_to_text(settings, len(corpus), given)
    check_geometry(len(corpus), settings.batch_size, settings.seq_length, settings.val_frac)
    if settings.budget is not None:
        with heavy_imports():  # torch: not before a training is asked for
            from charrnn_tui.training.trial import step_seconds

        def measure(tried: TrainSettings) -> float:
            return step_seconds(of_one_rank(tried, available_cores()), corpus)

        settings = fit_to_budget(settings, len(corpus), budget, measure, FITTED if given is None else given)
    old_ids = read_old_text(settings, corpus.vocabulary, runs)
    remove_unstarted(runs)
    directory = RunDirectory.create(runs, corpus.name, request.name)
    files = [str(file.resolve() if file.is_file() else file) for file in map(Path, request.corpus)]
    try:
        training = RecordedTraining(directory, files, corpus, settings, directory.lock())
    except BaseException as error:
        shutil.rmtree(directory.path, ignore_errors=True)
        if isinstance(error, OSError):  # a full disk, mostly
            raise RunError(f"{directory.path}: cannot be written: {error.strerror or error}") from None
        raise
    return directory, training.events(control, new=True, detached=detached, budget=budget, start=start, old_ids=old_ids)


def of_one_rank(settings: TrainSettings, cores: int) -> TrainSettings:
    """What one of the ranks computes of a step, while the others use the rest of the cores."""
    if settings.ranks == 1:
        return settings
    threads = settings.threads or max(1, cores // settings.ranks)
    return replace(settings, batch_size=settings.batch_size // settings.ranks, threads=threads, ranks=1)


def remove_unstarted(runs: Path) -> None:
    """Remove the runs whose process was killed before the first step."""
    for run in list_runs(runs):
        if run.never_started:
            with suppress(RunError):
                run.delete()


class RecordedTraining:
    """A training whose events are written to the run's directory; it holds the run's lock until they end."""

    def __init__(
        self, directory: RunDirectory, files: list[str], corpus: Corpus, settings: TrainSettings, lock: RunLock
    ) -> None:
        """Write what the run needs to be resumed. Raises OSError, with the lock released."""
        self._directory, self._corpus, self._settings, self._lock = directory, corpus, settings, lock
        self._last: Event | None = None
        self._train_seconds = 0.0
        request: StoredRequest = {
            "name": directory.name,
            "corpus": files,
            "corpus_sha256": corpus.sha256,
            "settings": settings.to_json(),
            "version": __version__,
        }
        if (launched := torchrun()) is not None:
            request["torchrun"] = launched.job
        try:
            directory.write_settings(request)
            self._writer = EventWriter(directory.events_file)
        except BaseException:
            lock.release()
            raise

    def events(self, control: Control, *, new: bool, **options: Any) -> Stream:
        """The events of the training, each written before it is passed on.

        new: remove the directory if the training fails before its first step; a detached run stays once it has begun,
        with the reason. options: further ones of `train`.
        """
        directory, writer = self._directory, self._writer
        reported = failed_at_once = False
        try:
            control.listen(Mailbox(directory.path))
            with heavy_imports():  # PyTorch; parts of it are imported as the learner is made
                from charrnn_tui.training.trainer import train

                given = {"sync_events": writer.sync, "on_late_event": self._append, **options}
                events = train(self._settings, self._corpus, control, directory.path, write_sample, **given)
                first = next(events)
            with closing(events):
                for event in chain([first], events):
                    self._append(event)
                    if isinstance(event, CheckpointSaved | RunPaused | RunFinished):
                        writer.sync()
                    if writer.error is not None and not reported:  # the events wait in memory for the disk
                        message = f"events.jsonl could not be written: {writer.error.strerror or writer.error}"
                        alarm = AlarmRaised(time=time.time(), step=event.step, kind="disk", message=message)
                        writer.append(alarm)
                        yield alarm
                    reported = writer.error is not None
                    yield event
        except (GeneratorExit, KeyboardInterrupt):  # no more events are asked for; the trainer has saved
            self._append_end("interrupted", "left early")
            raise
        except Exception as error:
            message, _ = explain(error) or (str(error) or type(error).__name__, FAILED)
            self._append_end("failed", message.splitlines()[0])
            failed_at_once = self._last is not None and self._last.step == 0 and not options.get("detached")
            raise
        finally:
            writer.close()
            self._lock.release()
            if new and (self._last is None or failed_at_once):
                shutil.rmtree(directory.path, ignore_errors=True)

    def _append(self, event: Event) -> None:
        self._writer.append(event)
        self._last = event
        if isinstance(event, StepDone):
            self._train_seconds = event.train_seconds

    def _append_end(self, state: EndState, reason: str) -> None:
        """Write the RunFinished that a training could not yield itself; none if it has not yielded any event."""
        if self._last is not None and not isinstance(self._last, RunFinished):
            now, step, seconds = time.time(), self._last.step, self._train_seconds
            self._writer.append(RunFinished(time=now, step=step, state=state, reason=reason, train_seconds=seconds))


def write_sample(checkpoint: Checkpoint, settings: TrainSettings) -> tuple[str, str]:
    """(prime, text) of a sample, always with the same prime and seed, so that samples can be compared."""
    vocabulary = checkpoint.vocabulary
    prime = vocabulary.known_part(settings.sample_prime)
    sampling = SamplingSettings(top_k=settings.sample_top_k)
    sampler = Sampler(CharModel(checkpoint), vocabulary, sampling, seed=settings.sample_seed, prime=prime)
    text = "".join(sampled.character for sampled in islice(sampler, settings.sample_length))
    return joined(prime), joined(text)

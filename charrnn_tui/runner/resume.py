"""Resuming a run: check its text, take its lock (from another process, if asked), and read its state."""

import math
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charrnn_tui.run.control import Control, HandOver
from charrnn_tui.run.directory import RunDirectory, RunError
from charrnn_tui.run.lock import RunLock, RunLocked
from charrnn_tui.run.mailbox import leave_request
from charrnn_tui.run.quantities import duration, no_improvement
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.runner.fine_tuning import read_old_text
from charrnn_tui.runner.heavy_imports import heavy_imports
from charrnn_tui.runner.start import RecordedTraining, Started
from charrnn_tui.text.array_cache import TEXTS
from charrnn_tui.text.batches import batch_count, split_at
from charrnn_tui.text.corpus import Corpus, load_corpus
from charrnn_tui.text.text_file import TextFile, sha256_of
from charrnn_tui.text.text_settings import TextSettings

if TYPE_CHECKING:  # torch takes seconds: not before a training is asked for
    from charrnn_tui.training.resume_state import ResumeState

MAY_CHANGE = (
    *("epochs", "max_steps", "budget", "patience", "lr"),
    *("device", "precision", "threads", "ranks", "keep_checkpoints", "on_hangup"),
)
TAKE_OVER_SECONDS = 120.0  # for the other process to finish its step, save, and release the lock


def resume_run(
    run: RunDirectory,
    control: Control,
    changes: Mapping[str, Any],
    *,
    detached: bool = False,
    take_over: bool = False,
) -> Started:
    """Continue a run from its resume state, as a stream of events. changes: new values of settings in MAY_CHANGE.

    take_over: ask the process that trains it to save and release the lock, once everything is ready here. Raises
    RunError, CorpusError, SettingsError.
    """
    with heavy_imports():  # torch: as in start_run
        from charrnn_tui.training.resume_state import read_resume_state

    if not take_over and (pid := run.trainer()) is not None:
        raise RunError(f"{run.name}: {RunLocked(pid)}")
    files, corpus = _same_corpus(run)
    if take_over and run.trainer() is not None:
        leave_request(run.path, HandOver())
    lock = _locked(run, TAKE_OVER_SECONDS if take_over else 0.0)
    try:
        state = read_resume_state(run.resume_file)
        if len(state.model["fc.bias"]) != len(corpus.vocabulary):
            raise RunError(f"{run.resume_file}: is of a model with another alphabet than the run's text")
        settings = _changed(run, state, corpus, changes)
        old_ids = read_old_text(settings, corpus.vocabulary, run.path.parent)
        training = RecordedTraining(run, files, corpus, settings, lock)
    except BaseException as error:
        lock.release()
        if isinstance(error, OSError):
            raise RunError(f"{run.path}: cannot be written: {error.strerror or error}") from None
        raise
    if changes.get("lr") is not None:
        state = replace(state, lr_factor=1.0)
    return run, training.events(control, new=False, detached=detached, resume=state, old_ids=old_ids)


def set_text(run: RunDirectory, paths: Sequence[str]) -> None:
    """Store the new paths of a text that was moved. Raises RunError if it is another text, CorpusError."""
    _check_files(run, paths)
    files, values = [str(Path(path).resolve()) for path in paths], run.read_settings()
    if sha256_of([TextFile(file) for file in files]) != values.get("corpus_sha256"):
        raise RunError(f"{', '.join(files)}: is not the text that {run.name} was started with")
    run.write_settings({**values, "corpus": files})


def detach_run(run: RunDirectory) -> None:
    """Start a process without a terminal, and wait until it has taken the run over. Raises RunError."""
    command = [sys.executable, "-m", "charrnn_tui", "train", "--resume", str(run.path.absolute())]
    try:
        done = subprocess.run(
            [*command, "--take-over", "--detach"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise RunError(f"{run.name}: no process could be started for it: {error.strerror or error}") from None
    if done.returncode != 0:
        raise RunError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no process would take it over")


def _locked(run: RunDirectory, patience_seconds: float) -> RunLock:
    """The lock, as soon as no other process holds it. Raises RunError."""
    until = time.monotonic() + patience_seconds
    while True:
        try:
            return run.lock()
        except RunLocked as locked:
            if time.monotonic() >= until:
                raise RunError(f"{run.name}: {locked}") from None
            time.sleep(0.02)
        except OSError as error:
            raise RunError(f"{run.path}: cannot be written: {error.strerror or error}") from None


def _same_corpus(run: RunDirectory) -> tuple[list[str], Corpus]:
    """The files that the run was started with, and their text. Raises RunError where it has changed, CorpusError."""
    values = run.read_settings()
    files = values.get("corpus")
    if not files:
        raise RunError(f"{run.settings_file}: cannot be read, or does not name the text: the run cannot be resumed")
    _check_files(run, files)
    corpus = load_corpus(files, TextSettings.of(values.get("settings")), run.path.parent / TEXTS)
    if corpus.sha256 != values.get("corpus_sha256"):
        raise RunError(
            f"{', '.join(files)}: has changed since {run.name} was started with it, so the run cannot be resumed; "
            "bring the old text back, or start a new run"
        )
    return files, corpus


def _check_files(run: RunDirectory, files: Sequence[str]) -> None:
    for file in files:
        if not Path(file).is_file():  # a pipe cannot be read again
            way = f"if the run's text was moved, name it: charrnn-tui train --resume {run.name} PATH"
            raise RunError(f"{file}: no such file; {way}")


def _changed(run: RunDirectory, state: "ResumeState", corpus: Corpus, changes: Mapping[str, Any]) -> TrainSettings:
    """The run's settings with the changes, on the device it was trained on unless another is asked for.

    Raises RunError if the run has done all its steps, or has no patience left.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    place: dict[str, Any] = {"device": state.device, "precision": state.precision, "threads": state.threads}
    if given.get("device", state.device) != state.device:
        place = {"precision": "auto", "threads": None}
    if given.get("ranks", state.settings.get("ranks", 1)) != state.settings.get("ranks", 1):
        place["threads"] = None  # the cores are divided otherwise
    if "epochs" in given or "max_steps" in given:  # an earlier limit of steps would cut the new epochs off
        given = {"max_steps": None, "budget": None} | given
    settings = replace(TrainSettings.from_json(state.settings), **(place | given))
    per_epoch = batch_count(split_at(len(corpus), settings.val_frac), settings.batch_size, settings.seq_length)
    if given.get("budget") is not None:  # at the speed that the run has had; the trainer corrects it
        spent = max(state.spent_seconds, state.train_seconds)
        fit = int(state.step * min(1e6, given["budget"] / max(spent, 1e-9)))
        settings = replace(settings, epochs=max(1, -(-fit // per_epoch)), max_steps=max(1, fit))
    whole = per_epoch * settings.epochs
    most = settings.max_steps or whole
    if state.step >= min(whole, most):
        what = "--max-steps" if most < whole else "--epochs"
        limit = f"{what} {most if most < whole else settings.epochs}"
        if settings.budget is not None:
            what, limit = "--budget", f"a --budget of {duration(settings.budget)}"
        raise RunError(
            f"{run.name}: has done {state.step:,} steps, all that {limit} asks for; "
            f"give a larger {what} to train it further"
        )
    if state.not_improved >= (settings.patience or math.inf):
        raise RunError(
            f"{run.name}: {no_improvement(state.not_improved)}, all that --patience {settings.patience} allows; "
            "give a larger --patience to train it further"
        )
    return settings

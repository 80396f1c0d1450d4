"""The text that a run was trained on, split as its training splits it."""

from dataclasses import dataclass
from pathlib import Path

from charrnn_tui.playground.backend import Backend
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.text_settings import TextSettings
from charrnn_tui.text.vocabulary import Ids, Vocabulary

LEAST_HELD_OUT = 2  # characters: nothing predicts the first one


@dataclass(frozen=True, eq=False)
class RunText:
    """train, held_out: ids of the vocabulary, (T,)."""

    train: Ids
    held_out: Ids
    vocabulary: Vocabulary


def read_run_text(run: RunDirectory, backend: Backend) -> RunText:
    """Read it again. Blocks. Raises ValueError, one line, where it is not there or is another text than it was."""
    stored = run.read_settings()
    files, settings = stored.get("corpus", []), stored.get("settings", {})
    if not files:
        raise ValueError(f"{run.settings_file}: cannot be read, or does not name the run's text")
    missing = next((file for file in files if not Path(file).is_file()), None)
    if missing is not None:
        raise ValueError(f"the text of {run.name} is no longer there: {missing}; put it back")
    try:
        corpus = backend.read_corpus(files, TextSettings.of(settings))
    except OSError as error:
        raise ValueError(f"{error.filename}: cannot be read: {error.strerror or error}") from None
    if corpus.sha256 != stored.get("corpus_sha256"):
        raise ValueError(f"{', '.join(files)}: has changed since {run.name} was started with it; put the old text back")
    train, held_out = corpus.split(settings.get("val_frac", TrainSettings().val_frac))
    if len(held_out) < LEAST_HELD_OUT:
        raise ValueError(f"{run.name} has no validation part: it was trained with --val-frac 0")
    return RunText(train, held_out, corpus.vocabulary)

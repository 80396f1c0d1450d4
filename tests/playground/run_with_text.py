"""A finished run whose text is there, as its training left it."""

from pathlib import Path

import numpy as np

from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.kept_checkpoints import kept_file
from charrnn_tui.text.corpus import load_corpus
from tests.playground.scripted_backend import ALPHABET, ScriptedBackend, tiny_checkpoint
from tests.tui.scripted_training import evaluated, started, step_done, write_events

CHARS = 3000


def some_letters(chars: int = CHARS, seed: int = 0) -> str:
    """In which a letter depends on the one before."""
    random = np.random.default_rng(seed)
    steps = np.cumsum(random.choice([1, 2, 5], size=chars, p=[0.7, 0.2, 0.1]))
    return "".join(ALPHABET[step % len(ALPHABET)] for step in steps)


def run_with_text(backend: ScriptedBackend, text: Path, val_losses: tuple[float, ...] = (2.0, 1.5)) -> RunDirectory:
    """Validated at the steps 1, 2, …; a fifth of the text is its validation part."""
    text.write_text(some_letters(), encoding="utf-8")
    run = RunDirectory(backend.runs_directory / "tiny-1")
    events = [started()]
    for step, loss in enumerate(val_losses, 1):
        events += [step_done(step), evaluated(step, loss)]
    write_events(run, events)
    run.write_settings(
        {"corpus": [str(text)], "corpus_sha256": load_corpus([text]).sha256, "settings": {"val_frac": 0.2}}
    )
    return run


def keep_models(backend: ScriptedBackend, run: RunDirectory, steps: tuple[int, ...]) -> RunDirectory:
    """Let the run have a model of each of these steps, the last one as its best."""
    kept_file(run.path, 0).parent.mkdir()
    for step in steps:
        file = kept_file(run.path, step)
        file.touch()
        backend.checkpoints[file] = tiny_checkpoint(seed=step, step=step)
    run.best_file.touch()
    backend.checkpoints[run.best_file] = tiny_checkpoint(seed=steps[-1], step=steps[-1])
    return run

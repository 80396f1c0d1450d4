"""Fine-tuning: a training that starts from the weights of another model, and shows what of its text is forgotten."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.run.settings import SettingsError, TrainSettings
from charrnn_tui.runner.find_model import locate_checkpoint, open_checkpoint
from charrnn_tui.text.array_cache import TEXTS
from charrnn_tui.text.batches import batch_count
from charrnn_tui.text.byte_text import BYTES
from charrnn_tui.text.corpus import load_corpus
from charrnn_tui.text.text_file import refuse_pipe
from charrnn_tui.text.text_names import files_of
from charrnn_tui.text.text_settings import TextSettings
from charrnn_tui.text.vocabulary import Ids, Vocabulary

SIZES = ("n_hidden", "n_layers")


def open_start(settings: TrainSettings, given: Collection[str], runs: Path) -> tuple[TrainSettings, Checkpoint]:
    """The model that `init_from` names, and the settings with its sizes and alphabet.

    given: the settings that were asked for by name. Raises CheckpointError, and SettingsError for a size that is not
    the model's, and for a cell that is not trained.
    """
    path = locate_checkpoint(settings.init_from, runs)
    model = open_checkpoint(path)
    if model.cell != "lstm":
        raise SettingsError("init_from", f"{path.name} has {model.cell.upper()} cells; only LSTMs are trained")
    if not model.finite:
        raise SettingsError("init_from", f"{path.name} has weights that are not finite: its training had diverged")
    for name in SIZES:
        if name in given and getattr(settings, name) != getattr(model, name):
            raise SettingsError(name, f"{path.name} has {getattr(model, name)}; leave the option out")
    alphabet = "".join(model.vocabulary.tokens)
    found = {name: getattr(model, name) for name in SIZES}
    if model.vocabulary.of_bytes:
        found["encoding"] = BYTES
    return replace(settings, init_from=str(path.resolve()), alphabet=alphabet, **found), model


def read_old_text(settings: TrainSettings, vocabulary: Vocabulary, runs: Path) -> Ids | None:
    """The ids of the validation part of `old_text`, (T,), without characters that are not known; None if none is named.

    Raises CorpusError, and SettingsError for one that is too short, or that no validation would read.
    """
    if not settings.old_text:
        return None
    if not settings.val_frac:
        raise SettingsError("old_text", "is read by validations, and --val-frac 0 has none")
    refuse_pipe(settings.old_text)
    files = files_of([settings.old_text], settings.encoding).files
    corpus = load_corpus(files, TextSettings(settings.encoding, alphabet=settings.alphabet), runs / TEXTS)
    table = np.array([vocabulary.index.get(token, len(vocabulary)) for token in corpus.vocabulary.tokens])
    ids = table[corpus.split(settings.val_frac)[1]]
    ids = ids[ids < len(vocabulary)].astype(vocabulary.dtype)
    if batch_count(len(ids), settings.batch_size, settings.seq_length) < 1:
        needed = settings.batch_size * settings.seq_length
        problem = f"{settings.old_text}: a validation reads {needed:,} characters of its last {settings.val_frac:.0%}"
        raise SettingsError("old_text", f"{problem}, which has {len(ids):,}; name a longer text")
    return ids

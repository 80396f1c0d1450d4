"""Facts about models and runs, under the JSON keys that the commands and the Python API share."""

import hashlib
import math
from pathlib import Path
from typing import Any

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.kept_checkpoints import kept_checkpoints
from charrnn_tui.run.quantities import bits, bits_per_byte, perplexity
from charrnn_tui.run.run_tags import files_of
from charrnn_tui.runner.find_model import checkpoint_format

_FACTS = (  # in this order; null if the file has none
    *("step", "steps", "epoch", "epochs", "loss", "val_loss", "best_val_loss", "batch_size", "seq_length"),
    *("val_frac", "weights", "corpus", "corpus_sha256", "chars", "bytes_per_char", "median_line_length", "run"),
    *("device", "precision", "settings", "versions"),
)


def loss_facts(loss: float | None, bytes_per_char: float | None = None) -> dict[str, float | None]:
    """`loss` (nats/char), `bits_per_char`, `bits_per_byte` and `perplexity`; null where it is not known.

    bytes_per_char: of the text, in UTF-8.
    """
    if loss is None:
        return {"loss": None, "bits_per_char": None, "bits_per_byte": None, "perplexity": None}
    per_byte = bits_per_byte(loss, bytes_per_char) if bytes_per_char else None
    return {"loss": loss, "bits_per_char": bits(loss), "bits_per_byte": per_byte, "perplexity": perplexity(loss)}


def model_facts(checkpoint: Checkpoint) -> dict[str, Any]:
    """`tokens`, `parameters`, and the cell and sizes of the network."""
    return {
        "tokens": len(checkpoint.vocabulary),
        "parameters": checkpoint.parameters,
        "cell": checkpoint.cell,
        "n_hidden": checkpoint.n_hidden,
        "n_layers": checkpoint.n_layers,
    }


def checkpoint_facts(path: Path, checkpoint: Checkpoint) -> dict[str, Any]:
    """Everything that is known about the checkpoint of a file, under the keys that the documentation names."""
    data = path.read_bytes()
    facts: dict[str, Any] = {name: checkpoint.facts.get(name) for name in _FACTS}
    if facts["bytes_per_char"] is None and all(token.isascii() for token in checkpoint.vocabulary.tokens):
        facts["bytes_per_char"] = 1.0
    loss = facts["val_loss"] if facts["val_loss"] is not None else facts["best_val_loss"]
    return {
        "kind": "checkpoint",
        "path": str(path),
        "format": checkpoint_format(path),
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        **model_facts(checkpoint),
        "alphabet": list(checkpoint.vocabulary.tokens),
        **facts,
        **{name: loss_facts(loss, facts["bytes_per_char"])[name] for name in ("bits_per_char", "bits_per_byte")},
        "uniform_loss": math.log(len(checkpoint.vocabulary)),  # of uniform guessing
    }


def run_facts(run: RunDirectory) -> dict[str, Any]:
    """A run's figures under the keys that the documentation names."""
    checkpoint, kept = run.checkpoint_file(), kept_checkpoints(run.path)
    return {
        **run.progress().to_json(),
        "run": run.name,  # as its directory is called now, whatever it was called then
        "directory": str(run.path.absolute()),
        "bytes": sum(file_bytes for _, file_bytes in files_of(run)),
        "trainer_pid": run.trainer(),
        "checkpoint": str(checkpoint.absolute()) if checkpoint else None,
        "kept_checkpoints": len(kept),
        "kept_steps": [one.step for one in kept],
    }

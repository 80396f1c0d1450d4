"""What the command line is tried on: a small text, a small model, a place for runs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from charrnn_tui.checkpoint.checkpoint import Checkpoint, tensor_shapes
from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.cli.main import cli
from charrnn_tui.text.vocabulary import Vocabulary

Invoke = Callable[..., Result]

TINY = (
    *("--n-hidden", "16", "--n-layers", "1", "--batch-size", "4", "--seq-length", "10", "--epochs", "1"),
    *("--device", "cpu", "--precision", "float32", "--threads", "1", "--sample-length", "5"),
)


def some_text(length: int) -> str:
    """The same words in another order, again and again."""
    random = np.random.default_rng(0)
    words = ["The", "happy", "families", "are", "all", "alike;", "every", "unhappy", "family", "is", "\n"]
    return " ".join(random.choice(words, size=length // 4).tolist())[:length]


def random_checkpoint(vocabulary: Vocabulary, n_hidden: int = 16, n_layers: int = 2, seed: int = 0) -> Checkpoint:
    """A model that knows nothing."""
    random = np.random.default_rng(seed)
    shapes = tensor_shapes(len(vocabulary), n_hidden, n_layers)
    weights = {name: random.normal(scale=0.3, size=shape).astype(np.float32) for name, shape in shapes.items()}
    return Checkpoint(weights, vocabulary, n_hidden, n_layers, {"val_loss": 1.5, "batch_size": 4, "seq_length": 10})


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Where runs are made."""
    return tmp_path / "runs"


@pytest.fixture
def invoke(runs: Path) -> Invoke:
    """Run a command line in this process; what is not a known failure is raised."""

    def run(*arguments: object, answer: str | None = None) -> Result:
        result = CliRunner().invoke(cli, ["--runs-dir", str(runs), *map(str, arguments)], input=answer)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    """A text of 2,000 characters."""
    path = tmp_path / "happy.txt"
    path.write_text(some_text(2000), encoding="utf-8")
    return path


@pytest.fixture
def checkpoint_file(tmp_path: Path) -> Path:
    """A model with the alphabet of that text."""
    path = tmp_path / "model.safetensors"
    write_checkpoint(path, random_checkpoint(Vocabulary(sorted(set(some_text(2000))))))
    return path


def one_line(result: Result) -> str:
    """The single line that a failure may take."""
    assert result.stdout == ""
    assert result.stderr.startswith("charrnn-tui: ")
    assert result.stderr.count("\n") == 1
    return result.stderr

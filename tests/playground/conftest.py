"""Backends and models that tests of playground and screens share; a file that needs another has its own."""

from pathlib import Path

import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.playground.models import SHIPPED_PRIMES
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint


@pytest.fixture(autouse=True)
def shipped_prime(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model in the box has a prime of its own, as such models have."""
    monkeypatch.setitem(SHIPPED_PRIMES, "tiny", "Anna")


@pytest.fixture
def backend(tmp_path: Path) -> ScriptedBackend:
    return ScriptedBackend(tmp_path / "runs")


@pytest.fixture
def shipped(backend: ScriptedBackend) -> Checkpoint:
    """The model in the box."""
    checkpoint = tiny_checkpoint(val_loss=1.284)
    backend.ship(checkpoint)
    return checkpoint


@pytest.fixture
def file(backend: ScriptedBackend, tmp_path: Path) -> Path:
    """A model that lies on the disk."""
    return backend.put(tmp_path / "tiny.safetensors", tiny_checkpoint())

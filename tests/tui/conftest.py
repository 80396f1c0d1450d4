"""Worlds and models that the tests of the screens begin with; a file that needs another one has its own."""

from pathlib import Path

import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from tests.tui.scripted_world import ScriptedWorld, tiny_checkpoint


@pytest.fixture
def world(tmp_path: Path) -> ScriptedWorld:
    return ScriptedWorld(tmp_path / "runs")


@pytest.fixture
def shipped(world: ScriptedWorld) -> Checkpoint:
    """The model in the box."""
    checkpoint = tiny_checkpoint(val_loss=1.284)
    world.ship(checkpoint)
    return checkpoint


@pytest.fixture
def file(world: ScriptedWorld, tmp_path: Path) -> Path:
    """A model that lies on the disk."""
    return world.put(tmp_path / "tiny.safetensors", tiny_checkpoint())

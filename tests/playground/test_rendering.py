"""Texts written on another thread, and the models that write them."""

from pathlib import Path

import pytest

from charrnn_tui.playground.models import ModelSource
from charrnn_tui.playground.rendering import MODELS_KEPT, ModelShelf, shared_length
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint


def test_texts_part_where_their_characters_do() -> None:
    assert shared_length("happy", "happy") == 5
    assert shared_length("happy", "hapless") == 3
    assert shared_length("happy families", "happy") == 5
    assert shared_length("", "happy") == shared_length("a", "b") == 0
    assert shared_length("happy", "hapless", 2) == shared_length("happy", "hapless", 3) == 3


def test_a_shelf_keeps_the_models_that_were_used_last(backend: ScriptedBackend) -> None:
    shelf = ModelShelf(backend)
    sources = [ModelSource("file", Path(f"{number}.safetensors")) for number in range(MODELS_KEPT + 1)]
    for number, source in enumerate(sources):
        backend.checkpoints[source.path] = tiny_checkpoint(seed=number)
    models = [shelf.take(source) for source in sources]
    backend.checkpoints.clear()
    assert [shelf.take(source) for source in sources[1:]] == models[1:]
    with pytest.raises(ValueError, match=r"0\.safetensors: no such file"):
        shelf.take(sources[0])

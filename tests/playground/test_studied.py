"""What the playground's model is studied on: what was held out of its training, or a text that it writes."""

from pathlib import Path

import pytest

from charrnn_tui.playground.model_studies import study_gates, study_memory, study_surprise
from charrnn_tui.playground.models import LoadedModel, ModelSource, prepare_model
from charrnn_tui.playground.studied import WRITTEN_CHARS, StudiedModel
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from tests.playground.run_with_text import some_letters
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint


@pytest.fixture
def model(tmp_path: Path) -> LoadedModel:
    checkpoint = tiny_checkpoint(corpus="letters", settings={"val_frac": 0.2})
    return prepare_model(ModelSource("file", tmp_path / "tiny.safetensors"), checkpoint)


def test_it_reads_both_parts_of_its_training_text(model: LoadedModel, backend: ScriptedBackend, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text(some_letters())
    subject, said = StudiedModel(model, backend), list[str]()
    surprise = study_surprise(subject, said.append, of_training=False)
    assert surprise.surprise.text == some_letters()[2400:]
    assert surprise.source == "600 characters of letters.txt, held out of the training"
    of_training = study_surprise(subject, said.append, of_training=True)
    assert of_training.surprise.text == some_letters()[:2400]
    assert of_training.source == "2,400 characters of letters.txt, which it was trained on"
    assert said[0] == "looking for the training text"
    assert study_memory(subject, said.append).source == study_gates(subject, said.append).source == surprise.source


def test_where_the_text_is_not_found_it_writes_one_and_says_so(model: LoadedModel, backend: ScriptedBackend) -> None:
    subject, said = StudiedModel(model, backend), list[str]()
    studied = subject.open(300, said.append)
    sampler = Sampler(model.network, model.vocabulary, SamplingSettings(), seed=1)
    assert model.vocabulary.decode(studied.ids) == "".join(next(sampler).character for _ in range(300))
    assert studied.source.startswith(
        "300 characters that it has written (the text of tiny.safetensors is not here: put"
    )
    assert said[-1] == "writing a text to read: 100%"
    count = len(said)
    assert len(subject.open(WRITTEN_CHARS + 1, said.append).ids) == WRITTEN_CHARS
    assert said[count:] == ["looking for the training text"]  # it is not written again
    with pytest.raises(ValueError, match=r"text of tiny\.safetensors is not here"):
        study_surprise(subject, said.append, of_training=True)

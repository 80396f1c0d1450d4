"""Units ranked for the playground: on the held-out part of the training text, or on what was written here."""

import random
from pathlib import Path

import pytest

from charrnn_tui.analysis.probes import PROBES, labels_of
from charrnn_tui.analysis.reading import read_blocks
from charrnn_tui.analysis.units import UnitStudy
from charrnn_tui.playground.jobs import Abandoned, CancelToken
from charrnn_tui.playground.models import LoadedModel, ModelSource, prepare_model
from charrnn_tui.playground.unit_ranking import UnitRanker
from charrnn_tui.sampling.char_model import CharModel
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint

TEXT = "".join(random.Random(0).choices("abcdefgh  ", k=6000))


@pytest.fixture
def model(tmp_path: Path) -> LoadedModel:
    checkpoint = tiny_checkpoint(corpus="letters", settings={"val_frac": 0.5})
    return prepare_model(ModelSource("file", tmp_path / "tiny.safetensors"), checkpoint)


@pytest.fixture
def training_file(tmp_path: Path) -> Path:
    file = tmp_path / "letters.txt"
    file.write_text(TEXT)
    return file


def test_the_held_out_part_of_the_training_text_is_ranked_on_and_kept(
    model: LoadedModel, backend: ScriptedBackend, training_file: Path
) -> None:
    ranker, reports = UnitRanker(model, backend), list[str]()
    ranking = ranker.rank("word", "not this one", reports.append)
    held_out = TEXT[3000:]
    study = UnitStudy(PROBES["word"](held_out), 2, 8)
    for block in read_blocks(CharModel(tiny_checkpoint()), model.vocabulary.encode(held_out)):
        study.add(block)
    assert [each.area for each in ranking.units] == study.ranked()
    assert (ranking.chance, ranking.share) == (study.chance, study.share)
    assert ranking.source == "3,000 characters of letters.txt, held out of the training"
    assert ranking.missing == ""
    peaks = ranking.units[0].peaks
    assert len(peaks) == len(study.highest(ranking.units[0].area)) > 0
    assert all(peak.before + peak.after in held_out for peak in peaks)
    assert reports[-1] == "reading: 3,000 of 3,000 characters"
    training_file.unlink()
    assert ranker.rank("word", "", reports.append) is ranking


def test_without_the_training_text_what_was_written_is_ranked_on_and_said_so(
    model: LoadedModel, backend: ScriptedBackend
) -> None:
    ranking = UnitRanker(model, backend).rank("word", TEXT, list[str]().append)
    assert ranking.source == "6,000 characters written here"
    assert "put letters.txt into" in ranking.missing


def test_a_text_without_the_property_is_refused_in_one_line(model: LoadedModel, backend: ScriptedBackend) -> None:
    with pytest.raises(
        ValueError, match=r"^quotes: .* have the property, or none has: 300 characters written here; .*$"
    ):
        UnitRanker(model, backend).rank("quotes", TEXT[:300], list[str]().append)


def test_a_ranking_that_nobody_waits_for_ends(
    model: LoadedModel, backend: ScriptedBackend, training_file: Path
) -> None:
    token = CancelToken()

    def report(text: str) -> None:
        token.cancelled = "reading" in text
        token.check()

    with pytest.raises(Abandoned):
        UnitRanker(model, backend).rank("word", TEXT, report)


def test_a_span_is_one_of_the_page_whatever_the_model_was_trained_on(
    model: LoadedModel, backend: ScriptedBackend, training_file: Path
) -> None:
    page = TEXT[:300]
    ranker = UnitRanker(model, backend)
    ranking = ranker.rank("21-60", "ÄÖ" + page, list[str]().append)  # which the model does not know, as in a prime
    assert (ranking.source, ranking.missing) == ("302 characters written here", "")
    assert ranking.share == pytest.approx(40 / 300)
    study = UnitStudy(labels_of("19-58", page), 2, 8, halves=False)
    for block in read_blocks(CharModel(tiny_checkpoint()), model.vocabulary.encode(page)):
        study.add(block)
    assert [each.area for each in ranking.units] == study.ranked()
    other = ranker.rank("21-60", TEXT[300:600], list[str]().append)
    assert other.units != ranking.units  # another page is read again
    with pytest.raises(ValueError, match=r"^1-300: all characters of the text have"):
        ranker.rank("1-300", page, list[str]().append)

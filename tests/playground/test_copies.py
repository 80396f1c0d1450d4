"""What of a written text stands in the training text of its model, beside a plain search for each passage."""

import random
import time
from pathlib import Path

import pytest

from charrnn_tui.playground.copies import LEVELS, Copied, Copies
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.models import LoadedModel, ModelSource, prepare_model
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import PLAIN
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint

PRIME = "abc"
LENGTH = 400


class Watched:
    """Copies whose jobs are drained by `until_idle`, and what they said."""

    def __init__(self, backend: ScriptedBackend) -> None:
        self.jobs = Jobs()
        self.changed: list[tuple[int, int]] = []
        self.failed: list[str] = []
        self.copies = Copies(
            self.jobs, backend, lambda start, end: self.changed.append((start, end)), self.failed.append
        )

    def until_idle(self) -> None:
        end = time.monotonic() + 20
        while not self.jobs.idle:
            assert time.monotonic() < end, "a job never ended"
            self.jobs.drain()
            time.sleep(0.001)

    def found(self, model: LoadedModel, text: GeneratedText) -> Copied:
        self.copies.ask(model, text)
        self.until_idle()
        copied = self.copies.of(text)
        assert copied is not None
        return copied


@pytest.fixture
def model(tmp_path: Path) -> LoadedModel:
    checkpoint = tiny_checkpoint(corpus="letters", settings={"val_frac": 0.1})
    return prepare_model(ModelSource("file", tmp_path / "tiny.safetensors"), checkpoint)


def writer(model: LoadedModel) -> tuple[GeneratedText, Sampler]:
    sampler = Sampler(model.network, model.vocabulary, PLAIN, seed=5, prime=PRIME)
    return GeneratedText(sampler, PRIME, 5), sampler


@pytest.fixture
def written(model: LoadedModel, tmp_path: Path) -> str:
    """What the model writes; passages of it, of several lengths, stand in its training text on lines of their own."""
    text, sampler = writer(model)
    for _ in range(LENGTH):
        text.write(sampler)
    shuffled = random.Random(0)
    lines = [text.text[start : start + size] for start, size in ((10, 15), (50, 16), (100, 30), (200, 60), (390, 10))]
    lines += ["".join(shuffled.choices("ABCXYZ", k=40)) for _ in range(8)]
    shuffled.shuffle(lines)
    (tmp_path / "letters.txt").write_text("\n".join(lines) + "\n" + "held-out text ".ljust(50, "."))
    return text.text


def levels_by_search(text: str, training: str) -> list[int]:
    """Of each character how many of LEVELS the longest passage reaches that it is in and the training text has."""
    levels = [0] * len(text)
    for number, least in enumerate(LEVELS, 1):
        for start in range(len(text) - least + 1):
            if text[start : start + least] in training:
                levels[start : start + least] = [max(number, level) for level in levels[start : start + least]]
    return levels


def training_part(folder: Path) -> str:
    whole = (folder / "letters.txt").read_text()
    return whole[: int(0.9 * len(whole))]


def test_passages_of_the_training_text_are_found_with_their_lines(
    model: LoadedModel, written: str, backend: ScriptedBackend, tmp_path: Path
) -> None:
    text, sampler = writer(model)
    for _ in range(LENGTH):
        text.write(sampler)
    copied = Watched(backend).found(model, text)
    training = training_part(tmp_path)
    assert copied.levels.tolist() == levels_by_search(written, training)
    assert set(copied.levels.tolist()) == {0, 1, 2, 3}
    assert copied.share == sum(level > 0 for level in copied.levels.tolist()) / LENGTH
    assert copied.longest >= 60
    lines = training.split("\n")
    for passage in copied.passages:
        line, character = copied.place_of(passage)
        passage_text = written[passage.begin : passage.end]
        assert "\n".join(lines[line - 1 :])[character - 1 :].startswith(passage_text)
    inside = copied.passage_at(230)
    assert inside is not None
    assert inside.begin <= 200
    assert copied.passage_at(0) is None
    assert copied.name == "letters.txt"


def test_a_growing_text_is_followed(model: LoadedModel, written: str, backend: ScriptedBackend, tmp_path: Path) -> None:
    (text, sampler), watched = writer(model), Watched(backend)
    for _ in range(20):
        for _ in range(LENGTH // 20):
            text.write(sampler)
        copied = watched.found(model, text)
        assert copied.levels.tolist() == levels_by_search(text.text, training_part(tmp_path))
    watched.copies.ask(model, text)
    assert watched.jobs.idle  # all of it is known


def test_what_is_written_meanwhile_is_found_next(model: LoadedModel, written: str, backend: ScriptedBackend) -> None:
    (text, sampler), watched = writer(model), Watched(backend)
    for _ in range(100):
        text.write(sampler)
        watched.copies.ask(model, text)
    watched.until_idle()
    copied = watched.copies.of(text)
    assert copied is not None
    assert len(copied.levels) == 100


def test_without_the_training_text_one_line_says_how_to_name_it(model: LoadedModel, backend: ScriptedBackend) -> None:
    (text, sampler), watched = writer(model), Watched(backend)
    text.write(sampler)
    for _ in range(2):
        watched.copies.ask(model, text)
        watched.until_idle()
    assert watched.copies.of(text) is None
    assert len(watched.failed) == 1
    assert "put letters.txt into" in watched.failed[0]


def test_a_part_that_was_held_out_counts_for_what_is_usual(
    model: LoadedModel, backend: ScriptedBackend, tmp_path: Path
) -> None:
    alphabet = "abcdefgh" * 40
    (tmp_path / "letters.txt").write_text(alphabet)
    (text, sampler), watched = writer(model), Watched(backend)
    text.write(sampler)
    assert watched.found(model, text).usual == 1

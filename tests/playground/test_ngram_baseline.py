"""The n-gram models of a run's text: what is counted, stored, and refused."""

from pathlib import Path

import pytest

from charrnn_tui.analysis import ngrams
from charrnn_tui.analysis.ngrams import ngram_losses
from charrnn_tui.playground.ngram_baseline import NO_BETTER, NONE, count_baseline, read_baseline
from charrnn_tui.text.corpus import load_corpus
from tests.playground.run_with_text import run_with_text
from tests.playground.scripted_backend import ScriptedBackend


@pytest.fixture
def text(tmp_path: Path) -> Path:
    return tmp_path / "letters.txt"


def test_the_losses_are_those_of_the_validation_part(backend: ScriptedBackend, text: Path) -> None:
    run = run_with_text(backend, text)
    said: list[str] = []
    found = count_baseline(run, backend, said.append)
    corpus = load_corpus([text])
    train, held_out = corpus.split(0.2)
    expected = [each.loss for each in ngram_losses(train, held_out, len(corpus.vocabulary))]
    assert found.losses == pytest.approx(expected[: len(found.losses)])
    assert found.losses[found.best - 1] == min(found.losses)
    assert len(found.losses) == found.best + NO_BETTER
    assert found.complete
    assert found.by_name[f"{found.best}-gram"] == min(found.losses)
    assert len(found.by_name) == found.best
    assert said[:2] == ["reading the text", "counting: 2-grams"]
    assert read_baseline(run) == found


def test_what_was_counted_before_it_is_stopped_is_kept(backend: ScriptedBackend, text: Path) -> None:
    run = run_with_text(backend, text)

    def stop(doing: str) -> None:
        if "3-grams" in doing:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        count_baseline(run, backend, stop)
    found = read_baseline(run)
    assert len(found.losses) == 2
    assert not found.complete


def test_a_stored_baseline_that_is_damaged_or_of_another_text_is_none(backend: ScriptedBackend, text: Path) -> None:
    run = run_with_text(backend, text)
    assert read_baseline(run) == NONE
    count_baseline(run, backend, lambda doing: None)
    stored = run.ngrams_file.read_bytes()
    wrong = (b"NaN,", b"-1,", b"1e300,", b"2," * 20)
    for damaged in (
        b"",
        b"{",
        b"[]",
        b'{"losses": "x"}',
        *(stored.replace(b'"losses":[', b'"losses":[' + each) for each in wrong),
    ):
        run.ngrams_file.write_bytes(damaged)
        assert read_baseline(run) == NONE
    run.ngrams_file.write_bytes(stored)
    run.write_settings({**run.read_settings(), "corpus_sha256": "another"})
    assert read_baseline(run) == NONE


def test_what_cannot_be_counted_is_refused_in_one_line(
    backend: ScriptedBackend, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_with_text(backend, text)

    def refusal() -> str:
        with pytest.raises(ValueError, match=r".+") as error:
            count_baseline(run, backend, lambda doing: None)
        return str(error.value)

    monkeypatch.setattr(ngrams, "free_memory", lambda: 1000)
    assert "3,000 characters needs about 330 kB of memory, of which 1 kB are free" in refusal()
    monkeypatch.undo()
    run.write_settings({**run.read_settings(), "settings": {"val_frac": 0.0}})
    assert "--val-frac 0" in refusal()
    text.write_text("another text")
    assert "has changed since tiny-1 was started" in refusal()
    text.unlink()
    assert f"no longer there: {text}" in refusal()
    run.settings_file.write_text("{")
    assert f"{run.settings_file}: cannot be read" in refusal()


def test_a_run_that_cannot_be_written_into_is_counted_all_the_same(backend: ScriptedBackend, text: Path) -> None:
    run = run_with_text(backend, text)
    run.ngrams_file.mkdir()  # as a directory of another user: nothing can take its place
    assert count_baseline(run, backend, lambda doing: None).complete
    assert read_baseline(run) == NONE

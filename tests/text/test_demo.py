"""The demo text is the standard library's own source, the same at every call."""

import ast
from pathlib import Path

import pytest

from charrnn_tui.text.corpus import load_corpus
from charrnn_tui.text.demo import DEMO, DEMO_BYTES, standard_library, text_path
from charrnn_tui.text.text_file import CorpusError


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))


def test_it_is_python_of_some_megabytes_and_few_characters() -> None:
    path = Path(text_path(DEMO))
    text = path.read_text(encoding="ascii")
    assert 0.7 * DEMO_BYTES < len(text) <= DEMO_BYTES
    ast.parse(text)
    corpus = load_corpus([path])
    assert corpus.name == "python"
    assert 90 <= len(corpus.vocabulary) <= 100


def test_a_run_finds_the_same_text_after_an_update_of_python(tmp_path: Path) -> None:
    path = Path(text_path(DEMO))
    path.write_text("as an older Python had it", encoding="ascii")
    assert text_path(DEMO) == str(path)
    assert path.read_text(encoding="ascii") == "as an older Python had it"


def test_modules_come_in_an_order_that_does_not_depend_on_the_file_system(tmp_path: Path) -> None:
    for name in ("b.py", "a.py", "c.py"):
        (tmp_path / name).write_text(f"# {name}\n", encoding="ascii")
    (tmp_path / "d.py").write_text("# é\n", encoding="utf-8")
    (tmp_path / "e.py").write_text("x" * (DEMO_BYTES + 1), encoding="ascii")
    (tmp_path / "notes.txt").write_text("no module", encoding="ascii")
    assert standard_library(tmp_path) == b"# b.py\n# c.py\n# a.py\n"  # by the SHA-256 of their names: 4a…, c1…, f0…


@pytest.mark.parametrize("name", ["demo:perl", "demo:"])
def test_other_demo_texts_are_refused_with_the_one_there_is(name: str) -> None:
    with pytest.raises(CorpusError, match=r"no such demo text; there is demo:python"):
        text_path(name)


def test_a_python_without_source_says_so(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="came without the source of its library; name a text file"):
        standard_library(tmp_path)


def test_other_names_are_paths(tmp_path: Path) -> None:
    assert text_path("~/a.txt") == str(tmp_path / "a.txt")
    assert text_path("books/demo:python") == "books/demo:python"

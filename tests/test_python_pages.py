"""The pages about Python are true: what they show runs, in the order in which they show it."""

import re
import shlex
from pathlib import Path

import pytest

import charrnn_tui
from tests.cli.conftest import Invoke, invoke, runs

__all__ = ["invoke", "runs"]  # fixtures

DOCS = Path(__file__).parents[1] / "docs"
SENTENCE = "Happy families are all alike; every unhappy family is unhappy in its own way. And Levin said it to Anna.\n"


@pytest.fixture(autouse=True)
def _with_a_text(tmp_path: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHARRNN_TUI_RUNS", str(runs))
    for name in ("my.txt", "anna.txt"):
        (tmp_path / name).write_text(SENTENCE * 300, encoding="utf-8")


@pytest.mark.parametrize("page", ["python.md", "notebook.md"])
def test_the_examples_run(page: str, invoke: Invoke, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    blocks = re.findall(r"```(python|sh)\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
    assert len(blocks) > 5
    for language, block in blocks:
        if language == "python":
            exec(compile(block, f"{page}: {block[:60]}", "exec"), names)
            continue
        for line in block.splitlines():
            program, *arguments = shlex.split(line)
            result = invoke(*arguments)
            assert (program, result.exit_code) == ("charrnn-tui", 0), f"{line}\n{result.output}"
    shown = capsys.readouterr().out
    assert "Anna" in shown
    if page == "python.md":
        assert "my-1 finished" in shown, shown
        assert "my-novel: no such file, and no run of this name in" in shown
    else:
        assert re.search(r"Epoch: 1  Step: 20  Loss: \d\.\d+  Val Loss: \d\.\d+", shown)


def test_every_cell_of_the_notebook_is_on_its_page() -> None:
    page = (DOCS / "notebook.md").read_text("utf-8")
    cells = {number for row in re.findall(r"^\| ([\d–, ]+) \|", page, re.MULTILINE) for number in expanded(row)}
    assert cells == {*range(1, 19), 22, 23, 24, *range(26, 31), 32, 33, 34, 36, 42, 44, 63, 64}


def expanded(row: str) -> set[int]:
    """`1, 3–5` as numbers."""
    parts = [part.partition("–") for part in row.split(", ")]
    return {number for first, _, last in parts for number in range(int(first), int(last or first) + 1)}


def test_the_page_of_the_api_names_all_of_it() -> None:
    page = (DOCS / "python.md").read_text("utf-8")
    members = [name for name in dir(charrnn_tui.Model) + dir(charrnn_tui.Run) if not name.startswith("_")]
    unnamed = [name for name in {*members, *charrnn_tui.__all__} if not re.search(rf"\b{name}\b", page)]
    assert unnamed == []

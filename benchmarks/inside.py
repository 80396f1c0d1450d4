"""The commands that look inside a model and a text: processor time and memory, with a text of 2 MB and one of 20 MB."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Row, in_a_process
from benchmarks.yardstick import TEXT, invented_text
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.kept_checkpoints import kept_file
from charrnn_tui.runner.find_model import shipped_checkpoints
from charrnn_tui.text.array_cache import TEXTS

TITLE = "Looking inside, 2×512"
SIZES = (2, 20)  # MB
KEPT = 24  # models of the run that `learned` reads
MODEL = "anna"  # knows every character of the notebook's text

_COMMAND = """
import json, sys, time
from charrnn_tui.cli.main import cli
try:
    cli(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code, ended.code
print()
print(json.dumps({"seconds": time.process_time()}))
"""


def measure(scratch: Path) -> Iterator[Row]:
    """Each in a process of its own; indexes are built anew, by NumPy: without the extra `analysis`."""
    run = _run_with_history(scratch / "runs")
    for megabytes in SIZES:
        text = str(_mixed(scratch, megabytes))
        for name, arguments in _commands(text, run.name).items():
            options = ["--runs-dir", str(run.path.parent), *arguments, "--json"]
            done = in_a_process(_COMMAND, *options)
            shutil.rmtree(run.path.parent / TEXTS, ignore_errors=True)  # the next one computes its index itself
            what = f"`{name}`, a text of {megabytes} MB"
            yield Row(what, "s", [done["seconds"]], higher_is_better=False, note="processor time")
            yield Row(f"{what}: memory", "MB", [done["peak_bytes"] / 1e6], higher_is_better=False, note="at most")


def _commands(text: str, run: str) -> dict[str, list[str]]:
    """By what the table calls them. The first five read as much of the text as they do by default."""
    return {
        "units": ["units", MODEL, text],
        "memory": ["memory", MODEL, text],
        "gates": ["gates", MODEL, text],
        "surprise": ["surprise", MODEL, text],
        f"learned, {KEPT} models": ["learned", run, text],
        "copied": ["copied", MODEL, "--training", text],
        "text": ["text", text],
        "text --ngrams 10": ["text", text, "--ngrams", "10"],
        "score --ngrams 10 --val-chars 20000": [
            *("score", MODEL, text, "--part", "val", "--ngrams", "10", "--val-chars", "20000")
        ],
    }


def _mixed(directory: Path, megabytes: int) -> Path:
    """The notebook's text, or what stands for it, with its lines in another order each time: no long repetitions."""
    source = TEXT.read_text(encoding="utf-8") if TEXT.is_file() else invented_text(2_000_000, alphabet=12)
    lines = source.splitlines(keepends=True)
    path, mixed = directory / f"mixed-{megabytes}.txt", random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(megabytes // 2):
            file.writelines(lines)
            mixed.shuffle(lines)
    return path


def _run_with_history(runs: Path) -> RunDirectory:
    """A run whose models are all the shipped one: what they have learned is not looked at."""
    run = RunDirectory.create(runs, MODEL)
    run.events_file.touch()
    kept_file(run.path, 0).parent.mkdir()
    model = next(file for file in shipped_checkpoints() if file.stem == MODEL)
    for file in (run.best_file, *(kept_file(run.path, step) for step in range(KEPT))):
        shutil.copy(model, file)
    return run

"""The direction of the house: what is imported, and when."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.run.directory import EventWriter, RunDirectory
from charrnn_tui.run.events import RunStarted
from charrnn_tui.text.vocabulary import Vocabulary
from charrnn_tui.training.net_writer import write_net
from tests.cli.conftest import random_checkpoint

ROOT = Path(__file__).parents[1]
HEAVY = ("numpy", "safetensors", "torch", "rich", "textual", "click", "platformdirs")

IMPORT_ALL = """
import importlib, json, pkgutil, sys
package = importlib.import_module("charrnn_tui." + sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if module.name != "charrnn_tui.cli.app":  # the one module that is the app's
        importlib.import_module(module.name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
RUN_COMMAND = """
import json, sys
from charrnn_tui.cli.main import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""
FIRST_SCREEN = """
import json, pathlib, sys
from charrnn_tui.cli.app import open_app
from charrnn_tui.runner.local_backend import LocalBackend
from charrnn_tui.tui.app import Opening, StudioApp
StudioApp(LocalBackend(pathlib.Path(sys.argv[1])), Opening()).play
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def modules_after(script: str, *arguments: object) -> set[str]:
    """The heavy packages that a fresh interpreter has imported after a script."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, input=""
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout if script is IMPORT_ALL else done.stderr
    return set(json.loads(told.splitlines()[-1])) & set(HEAVY)


def test_the_import_contracts_hold() -> None:
    lint = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", lint, "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("part", "allowed"),
    [
        ("run", set()),
        ("text", {"numpy"}),
        ("checkpoint", {"numpy", "safetensors"}),
        ("sampling", {"numpy"}),
        ("native", {"platformdirs"}),
        ("training", {"numpy", "safetensors", "torch", "platformdirs"}),
        ("playground", {"numpy", "safetensors", "platformdirs"}),
        ("runner", {"numpy", "safetensors", "platformdirs"}),
        ("tui", {"numpy", "safetensors", "rich", "textual", "platformdirs"}),
        ("cli", {"numpy", "safetensors", "click", "rich"}),
    ],
)
def test_a_part_imported_whole_brings_in_only_what_it_may(part: str, allowed: set[str]) -> None:
    assert modules_after(IMPORT_ALL, part) <= allowed


@pytest.mark.parametrize(
    ("command", "allowed"),
    [
        (["--help"], {"click"}),
        (["runs"], {"click", "numpy", "safetensors", "rich"}),
        (["info", "MODEL"], {"click", "numpy", "safetensors", "rich"}),
        (["sample", "MODEL", "--length", "5"], {"click", "numpy", "safetensors"}),
        (["sample", "NET", "--length", "5"], {"click", "numpy", "safetensors"}),
        (["play", "MODEL", "--plain"], {"click", "numpy", "safetensors", "rich"}),
        (["score", "MODEL", "TEXT"], {"click", "numpy", "safetensors"}),
        (["watch", "happy-1", "--once"], {"click", "numpy", "safetensors", "rich"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_command_brings_in_only_what_it_needs(command: list[str], allowed: set[str], tmp_path: Path) -> None:
    model, net, runs = tmp_path / "model.safetensors", tmp_path / "model.net", tmp_path / "runs"
    write_checkpoint(model, random_checkpoint(Vocabulary("The")))
    write_net(net, random_checkpoint(Vocabulary("The")))
    writer = EventWriter(RunDirectory.create(runs, "happy").events_file)
    writer.append(RunStarted(time=1.0))
    writer.close()
    (tmp_path / "text.txt").write_text("The", encoding="utf-8")
    places = {"MODEL": str(model), "NET": str(net), "TEXT": str(tmp_path / "text.txt")}
    words = [places.get(word, word) for word in command]
    assert modules_after(RUN_COMMAND, "--runs-dir", runs, *words) <= allowed


def test_the_playground_is_on_the_screen_before_torch_is_imported(tmp_path: Path) -> None:
    assert modules_after(FIRST_SCREEN, tmp_path) <= {"click", "numpy", "rich", "safetensors", "textual", "platformdirs"}


TRAINING_SCREEN = """
import asyncio, json, pathlib, sys
from charrnn_tui.runner.local_backend import LocalBackend
from charrnn_tui.tui import app as module
from charrnn_tui.tui.app import Opening, StudioApp

module.IDLE_SECONDS = 1000  # when it is imported, unless a key needs it sooner

async def polled():
    app = StudioApp(LocalBackend(pathlib.Path(sys.argv[1])), Opening())
    async with app.run_test() as pilot:
        app.play.header.status = ["until the next poll"]
        while app.play.header.status:
            await pilot.pause(0.05)
        await pilot.press("2")

asyncio.run(polled())
assert "charrnn_tui.tui.train.screen" not in sys.modules
"""


def test_no_poll_and_no_key_of_the_playground_imports_the_training_screen(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TRAINING_SCREEN, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def classes_of_ours() -> dict[str, tuple[list[str], int, int]]:
    """By name: the names of its bases, its lines, its methods."""
    found = {}
    for path in (ROOT / "charrnn_tui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases = [ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases]
                methods = sum(isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) for part in node.body)
                found[node.name] = (bases, (node.end_lineno or 0) - node.lineno + 1, methods)
    return found


def test_nothing_of_ours_derives_from_ours_more_than_one_level_deep() -> None:
    classes = classes_of_ours()

    def with_bases(name: str) -> list[str]:
        return [name, *(up for base in classes[name][0] if base in classes for up in with_bases(base))]

    def depth(name: str) -> int:
        return max((1 + depth(base) for base in classes[name][0] if base in classes), default=0)

    counted = [
        (sum(classes[part][1] for part in with_bases(name)), sum(classes[part][2] for part in with_bases(name)), name)
        for name in classes
    ]
    largest = "\n".join(
        f"{name}: {lines} lines, {methods} methods" for lines, methods, name in sorted(counted)[:-11:-1]
    )
    print("The ten largest classes, each with its own bases:", largest, sep="\n")
    assert {name: with_bases(name) for name in classes if depth(name) > 1} == {}, largest

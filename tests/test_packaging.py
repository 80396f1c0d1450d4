"""The wheel, built and installed into an empty environment, works without the source tree.

The environment finds its dependencies in the one that runs the tests, behind its own packages: nothing is downloaded.
So this shows that the wheel has all code and data, and its program; that what it imports is declared is another test.
"""

import ast
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from email.message import Message
from email.parser import Parser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import charrnn_tui

ROOT = Path(__file__).parents[1]
LARGEST_WHEEL = 25_000_000  # bytes
SHIPPED = sorted((ROOT / "checkpoints").glob("*.safetensors"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `make wheel` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment in which only the wheel is installed."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True)
    own = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    ours = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    Path(own, "dependencies.pth").write_text("".join(f"{path}\n" for path in sorted(ours)), encoding="utf-8")
    return python.parent


def outcome(program: Path, *arguments: str, home: Path) -> str:
    """What a program writes to standard output, far from the source tree and with an empty home directory."""
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "CHARRNN_TUI_RUNS")}
    variables |= {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache")}
    done = subprocess.run([str(program), *arguments], cwd=home, env=variables, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_program_runs_without_the_source_tree(installed: Path, tmp_path: Path) -> None:
    version = f"charrnn-tui {charrnn_tui.__version__}\n"
    assert outcome(installed / "charrnn-tui", "--version", home=tmp_path) == version
    assert outcome(installed / "python", "-m", "charrnn_tui", "--version", home=tmp_path) == version
    where = "import charrnn_tui; print(charrnn_tui.__file__)"
    package = Path(outcome(installed / "python", "-c", where, home=tmp_path).strip()).parent
    assert package.is_relative_to(installed.parent)
    assert (package / "py.typed").is_file()


@pytest.mark.parametrize("model", [path.stem for path in SHIPPED])
def test_the_installed_program_writes_with_each_shipped_model(model: str, installed: Path, tmp_path: Path) -> None:
    options = ("--length", "20", "--seed", "1", "--json")
    written = json.loads(outcome(installed / "charrnn-tui", "sample", model, *options, home=tmp_path))
    assert written["chars"] == 20
    assert Path(written["checkpoint"]).is_relative_to(installed.parent)


def test_the_wheel_has_code_types_and_models_and_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size <= LARGEST_WHEEL
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = [path for path in (ROOT / "charrnn_tui").rglob("*") if path.suffix in (".py", ".c", ".tcss", ".typed")]
    expected = {path.relative_to(ROOT).as_posix() for path in sources}
    assert "charrnn_tui/py.typed" in expected
    assert expected - names == set()
    assert {f"charrnn_tui/checkpoints/{path.stem}{end}" for path in SHIPPED for end in (".safetensors", ".md")} <= names
    assert not [name for name in names if name.startswith(("tests/", "docs/", "benchmarks/"))]


def test_the_metadata_says_what_a_package_index_shows(wheel: Path) -> None:
    found = metadata_of(wheel)
    assert found["Name"] == "charrnn-tui"
    assert found["Version"] == charrnn_tui.__version__
    assert found["License-Expression"] == "MIT"
    assert found["Requires-Python"] == ">=3.11"
    assert found["Description-Content-Type"] == "text/markdown"
    assert str(found.get_payload()).startswith("# charrnn-tui")
    assert {"Summary", "Keywords", "Classifier", "License-File"} <= set(found.keys())
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    required = [value for value in found.get_all("Requires-Dist", []) if "extra ==" not in value]
    assert {package_of(value) for value in required} == {package_of(value) for value in declared}


def test_what_the_package_imports_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [value for name, values in project["optional-dependencies"].items() if name != "dev" for value in values]
    declared = {package_of(value) for value in [*project["dependencies"], *extras]}
    distributions = packages_distributions()
    undeclared = {
        name
        for name in imported_by_the_package() - set(sys.stdlib_module_names) - {"charrnn_tui"}
        if not declared & {package_of(found) for found in distributions.get(name, [name])}
    }
    assert undeclared == set()


def metadata_of(wheel: Path) -> Message:
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(archive.read(name).decode())


def package_of(requirement: str) -> str:
    """`charset-normalizer` of `charset_normalizer>=3.3`."""
    return re.split(r"[\s<>=!~\[;]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def imported_by_the_package() -> set[str]:
    found = set[str]()
    for path in (ROOT / "charrnn_tui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found

"""`charrnn-tui doctor`, without its speed check."""

import json
from pathlib import Path

from charrnn_tui.text.array_cache import TEXTS
from tests.cli.conftest import Invoke


def test_doctor_tells_versions_devices_terminal_and_directories(invoke: Invoke, runs: Path) -> None:
    result = invoke("doctor", "--no-speed", "--json")
    assert result.exit_code == 0
    values = json.loads(result.stdout)
    assert all(values["versions"].values())
    assert "cpu" in values["devices"]
    assert values["cores"] >= 1
    assert values["terminal"]["is_terminal"] is False
    assert (values["runs_dir"], values["runs_dir_writable"]) == (str(runs), True)
    assert values["free_bytes"] > 0
    assert values["problems"] == []


def test_doctor_in_words_is_one_line_a_fact(invoke: Invoke) -> None:
    lines = invoke("doctor", "--no-speed").stdout.splitlines()
    labels = [line.split("  ")[0] for line in lines]
    assert labels[:3] == ["charrnn-tui", "python", "torch"]
    assert "the app needs one" in next(line for line in lines if line.startswith("terminal"))


def test_a_place_that_cannot_be_written_is_a_problem_with_exit_code_1(invoke: Invoke, text_file: Path) -> None:
    result = invoke("doctor", "--no-speed", "--runs-dir", text_file / "runs")
    assert result.exit_code == 1
    assert "NOT WRITABLE" in result.stdout
    assert "cannot be written to" in result.stderr


def test_doctor_tells_what_encoded_texts_take_and_removes_them(invoke: Invoke, runs: Path) -> None:
    (runs / TEXTS).mkdir(parents=True)
    (runs / TEXTS / "some.ids").write_bytes(b"x" * 2048)
    assert json.loads(invoke("doctor", "--no-speed", "--json").stdout)["texts_bytes"] == 2048
    assert "2.05 kB of encoded texts removed" in invoke("doctor", "--no-speed", "--clear-texts").stderr
    assert not list((runs / TEXTS).iterdir())

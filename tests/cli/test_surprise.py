"""`charrnn-tui surprise`."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke, one_line, some_text


def test_surprise_lists_the_worst_places_and_means(invoke: Invoke, checkpoint_file: Path, text_file: Path) -> None:
    command = ("surprise", checkpoint_file, text_file, "--part", "all", "--worst", 3)
    values = json.loads(invoke(*command, "--json").stdout)
    text = some_text(2000)
    scored = json.loads(invoke("score", checkpoint_file, text_file, "--per-char", "--json").stdout)
    assert values["loss"] == pytest.approx(scored["loss"])
    assert [each["loss"] for each in values["worst"]] == sorted(
        (each["loss"] for each in values["worst"]), reverse=True
    )
    for each in values["worst"]:
        place = each["position"]
        assert [each["character"], each["loss"]] == scored["per_char"][place - 1]
        assert each["before"] + each["character"] + each["behind"] in text
        assert text.startswith(each["before"] + each["character"], place - len(each["before"]))
        assert each["expected_loss"] <= each["loss"]
    assert [group["name"] for group in values["by_in_word"]][:3] == ["1", "2", "3"]
    for name in ("by_kind", "by_in_line"):
        assert sum(group["chars"] for group in values[name]) == 1999
    shown = invoke(*command)
    assert f"{values['worst'][0]['loss']:.2f} at" in shown.stdout
    assert "│" in shown.stdout
    assert "2,000 characters (all) read in one pass" in shown.stderr
    assert "│" not in invoke(*command[:-1], 0).stdout


def test_surprise_of_a_text_that_is_too_short(invoke: Invoke, checkpoint_file: Path, tmp_path: Path) -> None:
    (tmp_path / "t").write_text("The")
    assert "try --part all" in one_line(invoke("surprise", checkpoint_file, tmp_path / "t"))

"""The commands that look inside a model: units, memory, gates."""

import json
import re
from pathlib import Path

import pytest

from charrnn_tui.analysis import closing
from charrnn_tui.analysis.memory import CONTEXTS
from charrnn_tui.analysis.probes import PROBES
from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.run.kept_checkpoints import kept_checkpoints
from charrnn_tui.text.vocabulary import Vocabulary
from tests.cli.conftest import TINY, Invoke, one_line, random_checkpoint


def test_units_ranks_the_units_for_each_property(invoke: Invoke, checkpoint_file: Path, text_file: Path) -> None:
    result = invoke("units", checkpoint_file, text_file, "--part", "all")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["property", *PROBES]
    assert "half of the text" in result.stdout  # it has no quotation
    values = json.loads(invoke("units", checkpoint_file, text_file, "--part", "all", "--json").stdout)
    assert [each["probe"] for each in values["probes"]] == list(PROBES)
    assert values["chars"] == len(text_file.read_text())


def test_units_of_one_property_come_with_places(invoke: Invoke, checkpoint_file: Path, text_file: Path) -> None:
    command = ("units", checkpoint_file, text_file, "--part", "all", "--probe", "word")
    values = json.loads(invoke(*command, "--top", 3, "--json").stdout)
    best, *others = values["probes"][0]["units"]
    assert len(others) == 2
    place, text = best["places"][0], text_file.read_text()
    assert text[: place["position"] + 1].endswith(place["before"])
    assert text[place["position"] + 1 :].startswith(place["after"])
    name = f"{best['layer']}.{best['unit']}"
    shown = invoke(*command, "--unit", name).stdout
    assert f"unit {name} is highest" in shown
    assert f"{best['area']:.3f}" in shown


@pytest.mark.parametrize(("unit", "problem"), [("3.1", "2 layers of 16 units"), ("x", "such as 2.17")])
def test_a_unit_that_there_is_not(
    invoke: Invoke, checkpoint_file: Path, text_file: Path, unit: str, problem: str
) -> None:
    result = invoke("units", checkpoint_file, text_file, "--unit", unit)
    assert result.exit_code == 2
    assert problem in result.stderr


def test_units_of_what_a_pattern_matches(invoke: Invoke, checkpoint_file: Path, text_file: Path) -> None:
    result = invoke("units", checkpoint_file, text_file, "--part", "all", "--probe", "/happy/", "--json")
    (found,) = json.loads(result.stdout)["probes"]
    text = text_file.read_text("utf-8")
    assert found["probe"] == "/happy/"
    assert found["share"] == pytest.approx(5 * text.count("happy") / len(text))
    assert len(found["units"]) == 10
    wrong = invoke("units", checkpoint_file, text_file, "--probe", "/(/")
    assert wrong.exit_code == 2
    assert "no regular expression" in one_line(wrong)


def test_a_pin_check_counts_closed_quotations_with_the_unit_held(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "BEFORE", 40)
    text, model = 40 * 'the cat "sat on" the mat\n', tmp_path / "quoting.safetensors"
    write_checkpoint(model, random_checkpoint(Vocabulary(sorted(set(text)))))
    (tmp_path / "quoted.txt").write_text(text)
    command = ("units", model, tmp_path / "quoted.txt", "--part", "all", "--probe", "quotes", "--pin-check")
    (found,) = json.loads(invoke(*command, "--json").stdout)["probes"]
    free, inside, outside = found["pin_check"]
    best = found["units"][0]
    sign = 1 if best["area"] > 0.5 else -1
    assert free["pin"] is None
    assert inside["pin"] == f"{best['layer']}.{best['unit']}={sign}"
    assert outside["pin"] == f"{best['layer']}.{best['unit']}={-sign}"
    assert {row["samples"] for row in (free, inside, outside)} == {38}
    shown = invoke(*command).stdout
    assert "of 38 quotations that were opened" in shown
    assert re.search(rf"{free['share']:.0%} ± \d+%  as it is", shown)
    assert re.search(rf"{outside['share']:.0%} ± \d+%  held at {-sign}, as outside", shown)


def test_a_pin_check_of_another_property_is_wrong_usage(invoke: Invoke, checkpoint_file: Path, text_file: Path) -> None:
    result = invoke("units", checkpoint_file, text_file, "--probe", "word", "--pin-check")
    assert result.exit_code == 2
    assert "--pin-check is for --probe quotes" in result.stderr


def test_memory_compares_short_contexts_with_the_whole_text(
    invoke: Invoke, checkpoint_file: Path, text_file: Path
) -> None:
    values = json.loads(invoke("memory", checkpoint_file, text_file, "--part", "all", "--json").stdout)
    assert [each["context"] for each in values["contexts"]] == list(CONTEXTS)
    assert values["contexts"][-1]["difference"] == pytest.approx(0, abs=1e-4)
    shown = invoke("memory", checkpoint_file, text_file, "--part", "all").stdout.splitlines()
    assert len(shown) == len(CONTEXTS) + 2
    assert shown[-1].split() == ["all", f"{values['loss']:.4f}"]


def test_memory_shows_what_decided_a_character(invoke: Invoke, checkpoint_file: Path, text_file: Path) -> None:
    command = ("memory", checkpoint_file, text_file, "--part", "all", "--at", 100)
    values = json.loads(invoke(*command, "--json").stdout)
    assert [each["position"] for each in values["influences"]] == list(range(60, 100))
    text = text_file.read_text()
    assert "".join(each["character"] for each in values["influences"]) == text[59:99]
    assert len(invoke(*command).stdout.splitlines()) == 40
    assert "--at 5000: the part has" in one_line(invoke(*command[:-1], 5000))


def test_gates_shows_each_gate_of_each_layer(invoke: Invoke, checkpoint_file: Path, text_file: Path) -> None:
    values = json.loads(invoke("gates", checkpoint_file, text_file, "--part", "all", "--json").stdout)
    assert [(each["layer"], each["gate"]) for each in values["gates"]] == [
        (layer, gate) for layer in (1, 2) for gate in ("input", "forget", "output")
    ]
    assert all(0 <= each["closed"] + each["open"] <= 1 for each in values["gates"])
    assert len(invoke("gates", checkpoint_file, text_file, "--part", "all").stdout.splitlines()) == 7


def test_a_part_that_is_too_short_names_the_way_out(invoke: Invoke, checkpoint_file: Path, tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("The")
    problem = one_line(invoke("gates", checkpoint_file, tmp_path / "short.txt"))
    assert "short.txt: the part val has 1 character" in problem
    assert "--part all" in problem


def test_learned_has_a_row_for_each_checkpoint_of_a_run(
    invoke: Invoke, runs: Path, checkpoint_file: Path, text_file: Path
) -> None:
    train = ("--seed", "0", "--keep-checkpoints", "6", "--max-steps", "20", "--name", "mine")
    assert invoke("train", text_file, *TINY, *train).exit_code == 0
    kept = [step for step, _ in kept_checkpoints(runs / "mine")]
    values = json.loads(invoke("learned", "mine", text_file, "--json").stdout)
    assert [each["step"] for each in values["steps"]] == kept
    assert len(kept) > 2
    assert values["steps"][-1]["loss"] < values["steps"][0]["loss"]
    assert values["steps"][0]["classes"]["digit"] is None
    assert values["learned_at"]["digit"] is None
    assert values["learned_at"]["inside"] in kept
    lines = invoke("learned", "mine", text_file).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["step", *map(str, kept), "learned"]
    assert max(map(len, lines)) < 80
    alone = invoke("learned", checkpoint_file, text_file).stdout.splitlines()
    assert len(alone) == 2


def test_units_of_a_span(invoke: Invoke, checkpoint_file: Path, text_file: Path) -> None:
    found = json.loads(
        invoke("units", checkpoint_file, text_file, "--part", "all", "--probe", "101-150", "--json").stdout
    )
    (probe,) = found["probes"]
    assert probe["share"] == pytest.approx(50 / found["chars"])
    assert {unit["held_out"] for unit in probe["units"]} == {None}
    shown = invoke("units", checkpoint_file, text_file, "--part", "all", "--probe", "101-150").stdout
    assert f"{probe['units'][0]['area']:.3f}  –         {probe['chance']:.3f}" in shown
    result = invoke("units", checkpoint_file, text_file, "--probe", "5001-5002")
    assert result.exit_code == 2
    assert "--probe 5001-5002: the text has 200 characters" in result.stderr

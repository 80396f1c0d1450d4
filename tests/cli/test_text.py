"""The commands that look at a text: text, and copied."""

import json
from pathlib import Path

import pytest

from charrnn_tui.analysis import ngrams
from charrnn_tui.analysis.copied import LENGTHS
from tests.cli.conftest import Invoke, one_line, some_text


def test_text_describes_the_alphabet_the_lines_and_what_suits(invoke: Invoke, tmp_path: Path) -> None:
    file = tmp_path / "my.txt"
    file.write_text("ab\n" * 300 + "€")
    values = json.loads(invoke("text", file, "--json").stdout)
    assert (values["chars"], values["tokens"], values["lines"]) == (901, 4, 300)
    assert values["characters"] == {"\n": 300, "a": 300, "b": 300, "€": 1}
    assert (values["rare"], values["median_line_length"]) == (["€"], 2)
    assert values["suggested"]["n_hidden"] == 64
    assert (values["shared_with_training"], values["held_out_chars"]) == (0, 91)  # shorter than a passage
    shown = invoke("text", file).stdout
    assert "1 occur less than 10 times: €" in shown
    assert "300 line feeds" in shown


def test_text_finds_what_stands_in_both_parts(invoke: Invoke, tmp_path: Path) -> None:
    random = some_text(3000)
    passage = "".join(chr(0x61 + (number * number + number // 7) % 26) for number in range(250))
    file = tmp_path / "my.txt"
    file.write_text(random[:1000] + passage + random[1000:] + "-" + passage + ".")
    values = json.loads(invoke("text", file, "--json").stdout)
    assert passage in [each["text"] for each in values["repeated"]]
    assert values["shared_with_training"] == pytest.approx(250 / values["held_out_chars"], abs=0.3)
    assert values["shared_with_training"] > 0.5


def test_text_compares_orders_of_counting(invoke: Invoke, text_file: Path) -> None:
    losses = json.loads(invoke("text", text_file, "--ngrams", 4, "--json").stdout)["ngrams"]
    assert [each["n"] for each in losses] == [1, 2, 3, 4]
    assert losses[3]["loss"] < losses[0]["loss"]
    lines = invoke("text", text_file, "--ngrams", 4).stdout.splitlines()[-4:]
    assert [line.split()[0] for line in lines] == ["1-gram", "2-gram", "3-gram", "4-gram"]
    assert sum(line.endswith("the lowest") for line in lines) == 1


LICENCE = "\n\nEnd of Project Gutenberg's Walk\n\nUpdated editions will replace the previous one.\n"


def test_text_says_how_to_leave_a_licence_out(invoke: Invoke, tmp_path: Path) -> None:
    file = tmp_path / "a walk.txt"
    file.write_text(some_text(6000)[:-1] + "." + LICENCE, encoding="latin-1")
    command = ("text", file, "--encoding", "latin-1")
    found = json.loads(invoke(*command, "--json").stdout)["boilerplate"]
    skipped = len(LICENCE) - 1
    way = f"charrnn-tui train '{file}' --encoding latin-1 --skip-tail {skipped}"
    assert (found["head"], found["tail"], found["command"]) == (0, skipped, way)
    assert f"the last {skipped} characters look like a licence; to leave them out: {way}" in invoke(*command).stdout
    values = json.loads(invoke(*command, "--skip-tail", skipped, "--json").stdout)
    assert (values["boilerplate"], values["chars"], values["skip_tail"]) == (None, 6001, skipped)


def test_text_without_a_held_out_part(invoke: Invoke, text_file: Path) -> None:
    assert json.loads(invoke("text", text_file, "--val-frac", 0, "--json").stdout)["shared_with_training"] is None
    problem = one_line(invoke("text", text_file, "--val-frac", 0, "--ngrams", 2))
    assert "n-grams need at least two characters" in problem


def test_ngrams_that_need_more_memory_than_there_is_are_refused(
    invoke: Invoke, text_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ngrams, "free_memory", lambda: 1000)
    problem = one_line(invoke("text", text_file, "--ngrams", 2))
    assert f"{text_file}: counting the n-grams of 2,000 characters needs about 220 kB of memory" in problem


def test_copied_compares_with_the_held_out_part(
    invoke: Invoke, checkpoint_file: Path, text_file: Path, tmp_path: Path
) -> None:
    text = text_file.read_text()
    written = tmp_path / "written.txt"
    written.write_text(text[100:180] + "§ zzyzx " + "The")
    command = ("copied", checkpoint_file, "--training", text_file, "--text", written)
    values = json.loads(invoke(*command, "--json").stdout)
    assert [each["length"] for each in values["lengths"]] == list(LENGTHS)
    by_length = {each["length"]: each["share"] for each in values["lengths"]}
    assert by_length[64] == pytest.approx(80 / 91)
    assert by_length[96] == 0
    assert values["passages"][0] == {"begin": 0, "source": 100, "text": text[100:180]}
    assert values["new_words"] == ["zzyzx"]
    assert "80 chars from 100: " in invoke(*command).stdout


def test_copied_writes_a_text_where_none_is_named(invoke: Invoke, checkpoint_file: Path, text_file: Path) -> None:
    command = ("copied", checkpoint_file, "--training", text_file, "--length", 300, "--json")
    values = json.loads(invoke(*command).stdout)
    assert (values["chars"], values["seed"]) == (300, 0)
    assert values == json.loads(invoke(*command).stdout)


def test_copied_says_how_to_name_the_training_text(invoke: Invoke, checkpoint_file: Path) -> None:
    assert "--training FILE" in one_line(invoke("copied", checkpoint_file))


def test_a_very_long_text_is_described_without_its_repetitions(
    invoke: Invoke, text_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charrnn_tui.cli.text.MOST_SEARCHED", 1999)
    result = invoke("text", text_file)
    assert result.exit_code == 0
    assert "repeated    not searched for in a text of more than 1,999 characters" in result.stdout
    values = json.loads(invoke("text", text_file, "--json").stdout)
    assert (values["repeated"], values["shared_with_training"]) == (None, None)
    assert sum(values["characters"].values()) == 2000

"""`charrnn-tui sample`."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.cli.output import utf8, visible_text
from charrnn_tui.run.directory import EventWriter, RunDirectory
from charrnn_tui.run.events import RunFinished, RunStarted
from charrnn_tui.runner.find_model import SHIPPED
from charrnn_tui.text.vocabulary import Vocabulary
from tests.cli.conftest import Invoke, one_line, random_checkpoint, some_text
from tests.sampling.lines_model import LETTERS, lines_checkpoint


def test_output_is_the_prime_and_the_text_and_nothing_else(invoke: Invoke, checkpoint_file: Path) -> None:
    result = invoke("sample", checkpoint_file, "--prime", "happy ", "--length", 50, "--seed", 3)
    assert result.exit_code == 0
    assert result.stdout.startswith("happy ")
    assert len(result.stdout) == len("happy ") + 50
    assert result.stderr == ""


def test_the_same_seed_and_settings_write_the_same_text(invoke: Invoke, checkpoint_file: Path) -> None:
    settings = ("--length", 80, "--temperature", 0.8, "--top-k", 5, "--top-p", 0.9, "--min-p", 0.01)
    first, again, other = (invoke("sample", checkpoint_file, *settings, "--seed", seed).stdout for seed in (7, 7, 8))
    assert first == again != other


def test_without_a_seed_the_one_used_is_told_and_writes_the_text_again(invoke: Invoke, checkpoint_file: Path) -> None:
    told = json.loads(invoke("sample", checkpoint_file, "--length", 40, "--json").stdout)
    again = invoke("sample", checkpoint_file, "--length", 40, "--seed", told["seed"])
    assert again.stdout == told["prime"] + told["text"]


def test_temperature_zero_needs_no_seed_to_repeat_itself(invoke: Invoke, checkpoint_file: Path) -> None:
    texts = {invoke("sample", checkpoint_file, "--temperature", 0, "--length", 40).stdout for _ in range(3)}
    assert len(texts) == 1


def test_json_tells_prime_text_seed_speed_and_how_likely_the_model_found_it(
    invoke: Invoke, checkpoint_file: Path
) -> None:
    values = json.loads(invoke("sample", checkpoint_file, "--length", 60, "--seed", 1, "--json").stdout)
    assert (values["prime"], values["seed"], values["chars"], len(values["text"])) == ("The", 1, 60, 60)
    assert values["chars_per_second"] > 0
    assert values["loss"] == pytest.approx(values["bits_per_char"] * math.log(2))
    assert values["perplexity"] == pytest.approx(math.exp(values["loss"]))
    assert (values["temperature"], values["top_k"], values["top_p"], values["min_p"]) == (1.0, None, None, None)
    assert (values["n_hidden"], values["n_layers"], values["cell"]) == (16, 2, "lstm")
    assert values["checkpoint"] == str(checkpoint_file)


def test_a_text_of_no_length_has_no_speed_and_no_loss(invoke: Invoke, checkpoint_file: Path) -> None:
    values = json.loads(invoke("sample", checkpoint_file, "--length", 0, "--json").stdout)
    assert (values["text"], values["chars_per_second"], values["loss"]) == ("", None, None)


def test_each_of_several_texts_can_be_written_alone(invoke: Invoke, checkpoint_file: Path) -> None:
    lines = invoke("sample", checkpoint_file, "--length", 30, "--seed", 5, "--count", 3, "--json").stdout.splitlines()
    third = json.loads(lines[2])
    assert third["seed"] == 7
    alone = invoke("sample", checkpoint_file, "--length", 30, "--seed", 7).stdout
    assert alone == third["prime"] + third["text"]
    together = invoke("sample", checkpoint_file, "--length", 30, "--seed", 5, "--count", 3).stdout
    assert together.split("\n---\n")[2] == alone


def test_a_prime_the_model_cannot_read_is_refused_by_name(invoke: Invoke, checkpoint_file: Path) -> None:
    result = invoke("sample", checkpoint_file, "--prime", "Thé ü")
    assert result.exit_code == 2
    line = one_line(result)
    assert "U+00E9" in line
    assert "position 2" in line
    assert "U+00FC" in line
    assert "--unknown skip" in line


def test_a_character_the_model_cannot_read_is_answered_with_the_nearest_it_can(invoke: Invoke, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "model.safetensors", random_checkpoint(Vocabulary("The -")))
    line = one_line(invoke("sample", tmp_path / "model.safetensors", "--prime", "Thé— ☃"))
    assert "; did you mean 'e' for 'é', '-' for '—'; leave" in line


@pytest.mark.parametrize(
    ("prime", "alphabet", "form"), [("Th\u00e9", "The\u0301", "D"), ("The\u0301", "Th\u00e9", "C")]
)
def test_a_prime_in_the_other_unicode_form_is_converted_on_request(
    prime: str, alphabet: str, form: str, invoke: Invoke, tmp_path: Path
) -> None:
    write_checkpoint(tmp_path / "model.safetensors", random_checkpoint(Vocabulary(alphabet)))
    arguments = ("sample", tmp_path / "model.safetensors", "--length", 4, "--prime", prime)
    assert f"composed letters (NF{form}): try --unknown convert" in one_line(invoke(*arguments))
    assert invoke(*arguments, "--unknown", "convert").stdout.startswith(alphabet)


def test_characters_unknown_to_the_model_may_be_left_out(invoke: Invoke, checkpoint_file: Path) -> None:
    result = invoke("sample", checkpoint_file, "--prime", "Thé", "--unknown", "skip", "--length", 10)
    assert result.exit_code == 0
    assert result.stdout.startswith("Th")
    assert len(result.stdout) == 12
    assert "left out" in result.stderr


def test_the_usual_prime_gives_way_where_the_model_does_not_know_it(invoke: Invoke, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "digits.safetensors", random_checkpoint(Vocabulary("0123456789")))
    values = json.loads(invoke("sample", tmp_path / "digits.safetensors", "--length", 5, "--json").stdout)
    assert values["prime"] == ""
    assert len(values["text"]) == 5


def test_a_prime_may_come_from_a_file(invoke: Invoke, checkpoint_file: Path, tmp_path: Path) -> None:
    (tmp_path / "prime.txt").write_bytes(b"happy\r\nfamilies")
    result = invoke("sample", checkpoint_file, "--prime-file", tmp_path / "prime.txt", "--length", 0)
    assert result.stdout == "happy\nfamilies"
    both = invoke("sample", checkpoint_file, "--prime-file", tmp_path / "prime.txt", "--prime", "x")
    assert (both.exit_code, "exclude each other" in one_line(both)) == (2, True)
    (tmp_path / "prime.txt").write_text("The happy", encoding="utf-16")
    named = (checkpoint_file, "--prime-file", tmp_path / "prime.txt", "--length", 0)
    assert "try --encoding utf-16" in one_line(invoke("sample", *named))
    assert invoke("sample", *named, "--encoding", "utf-16").stdout == "The happy"
    alone = invoke("sample", checkpoint_file, "--encoding", "utf-16")
    assert (alone.exit_code, "--prime-file" in one_line(alone)) == (2, True)
    missing = invoke("sample", checkpoint_file, "--prime-file", tmp_path / "none.txt")
    assert (missing.exit_code, "no such file" in one_line(missing)) == (1, True)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--temperature", "-0.1"),
        ("--temperature", "nan"),
        ("--temperature", "inf"),
        ("--temperature", "warm"),
        ("--top-k", "0"),
        ("--top-k", "2.5"),
        ("--top-p", "1.5"),
        ("--top-p", "nan"),
        ("--min-p", "-1"),
        ("--length", "-1"),
        ("--count", "0"),
        ("--seed", "-1"),
        ("--unknown", "maybe"),
        ("--ban", "Ж"),
        ("--ban", ""),
        ("--ban", "".join(sorted(set(some_text(2000))))),
        ("--only", "Жe"),
        ("--dry", "-0.5"),
        ("--dry-length", "0"),
    ],
)
def test_a_value_out_of_range_is_wrong_usage_that_names_the_option(
    invoke: Invoke, checkpoint_file: Path, option: str, value: str
) -> None:
    result = invoke("sample", checkpoint_file, option, value)
    assert result.exit_code == 2
    assert option in one_line(result)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        (b"", "empty"),
        (b"just a text that is no model", "not a checkpoint"),
        (b"PK\x03\x04 but not a zip file", "damaged"),
    ],
)
def test_what_is_no_checkpoint_is_refused_in_words(
    invoke: Invoke, tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "model.bin"
    if content is not None:
        path.write_bytes(content)
    result = invoke("sample", path)
    assert result.exit_code == 1
    assert words in one_line(result)
    assert str(path) in result.stderr


def test_a_model_that_diverged_is_refused_in_words(invoke: Invoke, tmp_path: Path) -> None:
    checkpoint = random_checkpoint(Vocabulary(sorted(set("The"))))
    np.asarray(checkpoint.weights["fc.bias"])[0] = np.nan
    write_checkpoint(tmp_path / "nan.safetensors", checkpoint)
    result = invoke("sample", tmp_path / "nan.safetensors")
    assert result.exit_code == 1
    assert "diverged" in one_line(result)


def test_halves_of_surrogate_pairs_reach_the_output_as_something(invoke: Invoke, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "odd.safetensors", random_checkpoint(Vocabulary(["\udce9", "é", "\n"])))
    plain = invoke("sample", tmp_path / "odd.safetensors", "--length", 50, "--seed", 0)
    assert plain.exit_code == 0
    assert b"\xe9" in plain.stdout_bytes
    values = json.loads(invoke("sample", tmp_path / "odd.safetensors", "--length", 50, "--seed", 0, "--json").stdout)
    assert set(values["text"]) == {"\udce9", "é", "\n"}


def test_bytes_smuggled_in_as_surrogates_come_out_as_bytes() -> None:
    assert utf8("caf\udce9") == b"caf\xe9"
    assert utf8("\ud800") == b"\\ud800"


def test_a_terminal_is_sent_stand_ins_for_what_would_steer_it() -> None:
    shown = visible_text("a\x1b[2Jb\x9bc\u202ed\ttab\nline e\u0301 \u0939\u093f")
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert "\u202e" not in shown
    assert shown.startswith("a␛[2Jb")
    assert shown.endswith("\ttab\nline e\u0301 \u0939\u093f")


def test_without_a_model_the_one_that_the_app_would_open_writes(
    invoke: Invoke, runs: Path, checkpoint_file: Path
) -> None:
    shipped = invoke("sample", "--length", 5)
    assert (shipped.exit_code, len(shipped.stdout)) == (0, len("The") + 5)
    assert shipped.stderr.endswith("anna.safetensors\n")
    assert shipped.stderr.startswith("model: ")
    run = RunDirectory.create(runs, "happy")
    writer = EventWriter(run.events_file)
    writer.append(RunStarted(time=1.0, epochs=1, steps=1))
    writer.append(RunFinished(time=2.0, step=1, state="finished"))
    writer.close()
    checkpoint_file.rename(run.best_file)
    assert invoke("sample", "--length", 5).stderr == f"model: {run.best_file}\n"


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_models_have_short_names(invoke: Invoke, name: str) -> None:
    result = invoke("sample", name, "--length", 5)
    assert (result.exit_code, result.stderr, len(result.stdout)) == (0, "", 5 + len("" if name == "names" else "The"))


@pytest.mark.parametrize("option", ["--top-k", "--top-p", "--min-p"])
def test_none_switches_a_control_off_as_its_error_offers(invoke: Invoke, checkpoint_file: Path, option: str) -> None:
    assert "or none" in one_line(invoke("sample", checkpoint_file, option, -1))
    off = invoke("sample", checkpoint_file, "--length", 50, "--seed", 3)
    for word in ("none", "off"):
        again = invoke("sample", checkpoint_file, "--length", 50, "--seed", 3, option, word)
        assert (again.exit_code, again.stdout) == (0, off.stdout)


def test_a_prime_s_line_ends_are_read_as_those_of_a_file(invoke: Invoke, checkpoint_file: Path) -> None:
    assert (
        invoke("sample", checkpoint_file, "--prime", "The\r\nhappy\rfamily", "--length", 0).stdout
        == "The\nhappy\nfamily"
    )


def test_many_texts_are_those_of_their_seeds(invoke: Invoke, checkpoint_file: Path) -> None:
    options = ("sample", checkpoint_file, "--length", 40, "--top-k", 5, "--json")
    many = [json.loads(line) for line in invoke(*options, "--count", 20, "--seed", 3).stdout.splitlines()]
    assert [text["seed"] for text in many] == list(range(3, 23))
    for text in many:
        alone = json.loads(invoke(*options, "--seed", text["seed"]).stdout)
        assert text["text"] == alone["text"]
        assert text["recipe"] == alone["recipe"]
        assert text["bits_per_char"] == pytest.approx(alone["bits_per_char"], abs=1e-3)


def sampled(invoke: Invoke, *arguments: object) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(invoke("sample", *arguments, "--json").stdout)
    return values


def test_a_text_ends_behind_the_first_of_the_strings_or_with_its_lines(invoke: Invoke, checkpoint_file: Path) -> None:
    arguments = (checkpoint_file, "--prime", "The", "--seed", 3, "--length", 2000)
    whole = sampled(invoke, *arguments)
    text, some, other = whole["text"], whole["text"][150:152], whole["text"][100:103]
    assert whole["ended"] == "length"
    first = min(text.index(some) + len(some), text.index(other) + len(other))
    ended = sampled(invoke, *arguments, "--until", some, "--until", other)
    assert (ended["text"], ended["ended"], ended["chars"]) == (text[:first], "until", first)
    lines = sampled(invoke, *arguments, "--lines", 2)
    assert (lines["text"], lines["ended"]) == ("".join(text.splitlines(keepends=True)[:2]), "lines")
    assert invoke("sample", *arguments, "--lines", 2).stdout == "The" + lines["text"]


def test_a_recipe_of_a_text_that_ended_early_ends_it_again(
    invoke: Invoke, checkpoint_file: Path, tmp_path: Path
) -> None:
    values = sampled(invoke, checkpoint_file, "--lines", 1, "--seed", 5)
    (tmp_path / "recipe.json").write_text(json.dumps(values["recipe"]), encoding="utf-8")
    again = sampled(invoke, "--recipe", tmp_path / "recipe.json")
    assert (again["text"], again["ended"]) == (values["text"], "lines")


@pytest.mark.parametrize("count", [3, 20])
def test_texts_of_one_line_each_are_lines_with_nothing_between_them(
    invoke: Invoke, checkpoint_file: Path, count: int
) -> None:
    arguments = ("sample", checkpoint_file, "--prime", "", "--seed", 5, "--lines", 1, "--count", count)
    texts = [json.loads(line)["text"] for line in invoke(*arguments, "--json").stdout.splitlines()]
    assert len(texts) == count
    assert invoke(*arguments).stdout == "".join(texts)
    short = invoke(*arguments, "--length", 1).stdout  # a line that is not complete is ended all the same
    assert short == "".join(text[0] if text == "\n" else text[0] + "\n" for text in texts)


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [("--until", "Ж", "U+0416"), ("--until", "", "--until is empty"), ("--lines", "0", "--lines")],
)
def test_an_end_that_no_text_could_have_is_wrong_usage(
    invoke: Invoke, checkpoint_file: Path, option: str, value: str, told: str
) -> None:
    result = invoke("sample", checkpoint_file, option, value)
    assert (result.exit_code, told in one_line(result)) == (2, True)


def test_lines_need_a_line_feed(invoke: Invoke, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "digits.safetensors", random_checkpoint(Vocabulary("0123456789")))
    assert "no line feed" in one_line(invoke("sample", tmp_path / "digits.safetensors", "--lines", 1))


@pytest.fixture
def names_file(tmp_path: Path) -> Path:
    """A model of short lines."""
    write_checkpoint(tmp_path / "names.safetensors", lines_checkpoint(median_line_length=6))
    return tmp_path / "names.safetensors"


@pytest.mark.parametrize("count", [2, 20])
def test_several_texts_of_a_model_of_short_lines_are_one_line_each(
    invoke: Invoke, names_file: Path, count: int
) -> None:
    arguments = ("sample", names_file, "--count", count, "--seed", 1)
    names = invoke(*arguments).stdout.splitlines()
    assert len(names) == count
    assert all(0 < len(name) < 100 and set(name) <= set(LETTERS) for name in names)
    objects = [json.loads(line) for line in invoke(*arguments, "--json").stdout.splitlines()]
    assert [(each["prime"], each["text"], each["ended"]) for each in objects] == [
        ("", name + "\n", "lines") for name in names
    ]
    with_a_prime = invoke(*arguments, "--prime", "ann").stdout.splitlines()
    assert len(with_a_prime) == count
    assert all(name.startswith("ann") for name in with_a_prime)


def test_what_is_asked_for_wins_over_one_line_each(invoke: Invoke, names_file: Path) -> None:
    one = invoke("sample", names_file, "--seed", 1).stdout
    assert len(one) == 1000
    assert one.count("\n") > 100
    long = invoke("sample", names_file, "--count", 2, "--seed", 1, "--length", 1000).stdout
    assert long.split("\n---\n")[0] == one
    two = invoke("sample", names_file, "--count", 2, "--seed", 1, "--lines", 2).stdout
    assert two.split("---\n")[0] == "".join(one.splitlines(keepends=True)[:2]) + "\n"


@pytest.mark.parametrize("count", [1, 20])
def test_banned_characters_are_not_written_and_others_than_the_allowed_ones_neither(
    invoke: Invoke, checkpoint_file: Path, count: int
) -> None:
    arguments = ("sample", checkpoint_file, "--prime", "", "--length", 60, "--seed", 2, "--count", count)
    assert "e" in invoke(*arguments).stdout
    assert "e" not in invoke(*arguments, "--ban", "e").stdout
    assert set(invoke(*arguments, "--only", "haply").stdout.replace("\n---\n", "")) == set("haply")


def test_a_text_under_all_controls_is_written_again_by_its_recipe(
    invoke: Invoke, checkpoint_file: Path, tmp_path: Path
) -> None:
    controls = ("--dry", 0.8, "--dry-length", 3, "--ban", "y", "--only", "Thaply", "--temperature", 0.2)
    values = sampled(invoke, checkpoint_file, "--length", 80, *controls)
    assert (values["dry"], values["dry_length"], values["ban"], values["only"]) == (0.8, 3, "y", "Thaply")
    (tmp_path / "recipe.json").write_text(json.dumps(values["recipe"]), encoding="utf-8")
    assert sampled(invoke, "--recipe", tmp_path / "recipe.json")["text"] == values["text"]


def test_the_penalty_on_repetition_ends_a_loop(invoke: Invoke, checkpoint_file: Path) -> None:
    arguments = ("sample", checkpoint_file, "--temperature", 0, "--length", 400)
    looping, other = invoke(*arguments).stdout, invoke(*arguments, "--dry", 2, "--dry-length", 4).stdout
    assert looping[-20:] in looping[:-20]
    assert other[-20:] not in other[:-20]

"""The settings file: what it says, and what is wrong with it."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from charrnn_tui.run.config import DEFAULTS, KEYS, json_schema, value_of
from charrnn_tui.run.config_file import ConfigError, as_toml, commented_file, read_config, store_theme


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def problems(file: Path, text: str) -> list[str]:
    """What is wrong with a text, without the path that every problem begins with."""
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError) as caught:
        read_config(file)
    assert all(problem.startswith(str(file)) and "\n" not in problem for problem in caught.value.problems)
    return [problem.removeprefix(str(file)) for problem in caught.value.problems]


def test_a_file_that_is_missing_or_empty_sets_nothing(file: Path) -> None:
    assert (read_config(file).config, read_config(file).lines) == (DEFAULTS, {})
    file.write_text("")
    assert (read_config(file).config, read_config(file).lines) == (DEFAULTS, {})


def test_the_commented_file_sets_every_key_to_its_default(file: Path) -> None:
    file.write_text(commented_file({"play.reroll": ("r", "Write another text.")}))
    read = read_config(file)
    assert read.config == DEFAULTS
    assert set(read.lines) == set(KEYS)
    rows = file.read_text().splitlines()
    for name, line in read.lines.items():
        assert rows[line - 1] == f"{name.rpartition('.')[2]} = {as_toml(KEYS[name].default)}"
    assert '# "play.reroll" = "r"  # Write another text.' in rows


def test_a_key_is_read_from_its_table_however_it_is_written(file: Path) -> None:
    file.write_text(
        'play.top_k = 3\r\nnotifications = { terminal = false }\n[ sample ] # of sample\n"top_p" = 0.5 # = half\n'
        '[keymap]\nplay.reroll = "z"\n"app.help" = "h,?"\n'
    )
    read = read_config(file)
    assert (read.config.play.top_k, read.config.sample.top_p) == (3, 0.5)
    assert not read.config.notifications.terminal
    assert read.config.keymap == {"play.reroll": "z", "app.help": "h,?"}
    assert read.place("sample.top_p") == f"{file}:4: sample.top_p"
    assert (read.lines["play.top_k"], read.lines["keymap.play.reroll"]) == (1, 6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('\n\nthme = "nord"', ":3: thme: no such key; did you mean theme?"),
        ("[play]\ntopk = 1", ":2: play.topk: no such key; did you mean play.top_k?"),
        ("top_k = 1", ":1: top_k: no such key; did you mean sample.top_k or play.top_k?"),
        ("[sampel]\nx = 1", ":1: sampel: no such key; did you mean sample?"),
        ("[train]\nqq = 1", ":2: train.qq: no such key; there are train.preset, train.on_hangup"),
        ("[train]\nqq.x = 1", ":2: train.qq: no such key; there are train.preset, train.on_hangup"),
        ("[play]\ntop_k = 0", ':2: play.top_k: 0 is not a whole number from 1 up, or "off"'),
        ("[play]\ntop_k = true", ':2: play.top_k: true is not a whole number from 1 up, or "off"'),
        ("[play]\ntemperature = nan", ":2: play.temperature: nan is not a number, 0 or more"),
        ("[play]\ntemperature = inf", ":2: play.temperature: inf is not a number, 0 or more"),
        ('[sample]\nlength = "off"', ':2: sample.length: "off" is not a whole number from 0 up'),
        ("frames_per_second = 1000", ":1: frames_per_second: 1000 is not a whole number from 1 to 240"),
        ("theme = [1]", ":1: theme: this value is not the name of a theme"),
        ("[theme]\nx = 1", ":1: theme: a table is not the name of a theme"),
        ("play = 3", ":1: play: is a table: write [play] on a line of its own, and its keys below"),
        ('[keymap]\n"play.reroll" = 1', ":2: keymap.play.reroll: 1 is not a string of keys, separated by commas"),
        ("theme = nord", ":1: is not TOML: Invalid value"),
        ('theme = "nord', ":1: is not TOML: Unterminated string"),
        ('theme = "a"\ntheme = "b"', ":2: is not TOML: Cannot overwrite a value"),
        ("\n\udcff", ":2: is not UTF-8"),
        ("a = " + "[" * 9000, ": is not TOML: nested too deeply"),
        ("#" * (1 << 21), ": is longer than 1,048,576 bytes"),
    ],
)
def test_a_problem_names_the_line_the_key_and_the_way_out(file: Path, text: str, expected: str) -> None:
    assert problems(file, text) == [expected]


def test_all_problems_are_found_at_once(file: Path) -> None:
    assert len(problems(file, 'a = 1\n[play]\ntop_k = 0\n[train]\npreset = "fast"')) == 3


def test_what_cannot_be_read_is_a_problem_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_config(tmp_path)


def test_storing_the_theme_keeps_everything_else(file: Path) -> None:
    store_theme(file, "nord")
    assert file.read_text() == 'theme = "nord"\n'
    file.write_text("# mine\n\n[play]  # a table\ntop_k = 3")
    store_theme(file, "nord")
    assert file.read_text() == 'theme = "nord"\n# mine\n\n[play]  # a table\ntop_k = 3'
    file.write_text('# mine\n  "theme"="nord"  # dark\n[play]\ntop_k = 3\n')
    store_theme(file, "gruvbox")
    assert file.read_text() == '# mine\ntheme = "gruvbox"  # dark\n[play]\ntop_k = 3\n'


def test_a_theme_that_is_written_in_another_way_is_not_overwritten(file: Path) -> None:
    text = 'theme = """\nnord"""\n'
    file.write_text(text)
    with pytest.raises(ConfigError, match="cannot be changed here"):
        store_theme(file, "gruvbox")
    assert file.read_text() == text


def test_a_link_to_the_file_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    file.write_text("# mine\n")
    store_theme(link, "gruvbox")
    assert link.is_symlink()
    assert file.read_text() == 'theme = "gruvbox"\n# mine\n'


def test_nothing_is_stored_in_what_is_not_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ConfigError, match="is no file"):
        store_theme(pipe, "gruvbox")
    assert pipe.is_fifo()


def test_a_broken_file_is_not_overwritten(file: Path) -> None:
    file.write_text("theme = \n")
    with pytest.raises(ConfigError, match="is not TOML"):
        store_theme(file, "gruvbox")
    assert file.read_text() == "theme = \n"


def test_the_schema_knows_every_key_and_its_default() -> None:
    schema = json_schema()
    json.dumps(schema)
    tables = schema["$defs"]
    names = {"": "Config", "train": "TrainDefaults", "sample": "SampleDefaults", "play": "PlayDefaults"}
    names["notifications"] = "Notifications"
    for key in KEYS.values():
        described = tables[names[key.table]]["properties"][key.name.rpartition(".")[2]]
        assert (described["default"], described["description"]) == (key.default, key.help)
    assert all(table["additionalProperties"] is False for table in tables.values())
    assert asdict(DEFAULTS)["play"] == {
        key.name.rpartition(".")[2]: value_of(DEFAULTS, key.name) for key in KEYS.values() if key.table == "play"
    }

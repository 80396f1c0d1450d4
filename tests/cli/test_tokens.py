"""Models of other code, by the commands: an alphabet named beside them."""

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import nn

from charrnn_tui.cli.main import cli

TOKENS = "\nabc"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A bare state_dict of a GRU."""
    torch.manual_seed(0)
    parts = nn.ModuleDict({"encoder": nn.Embedding(4, 3), "gru": nn.GRU(3, 8), "decoder": nn.Linear(8, 4)})
    torch.save(parts.state_dict(), tmp_path / "model.pth")
    (tmp_path / "tokens.txt").write_text(TOKENS)
    (tmp_path / "text.txt").write_text("abcab\ncab\n")
    return tmp_path / "model.pth"


def run(*arguments: object, ok: bool = True) -> tuple[str, str]:
    result = CliRunner().invoke(cli, [str(each) for each in arguments])
    assert (result.exit_code == 0) == ok, result.output
    return result.stdout, result.stderr


def test_every_command_that_opens_it_takes_the_alphabet_and_says_what_is_assumed(model: Path) -> None:
    tokens = model.with_name("tokens.txt")
    sentence = f"alphabet assumed, for the file has none: the 4 characters of {tokens}, in its order\n"
    stdout, stderr = run("info", model, "--tokens", tokens, "--json")
    facts = json.loads(stdout)
    assert (facts["cell"], facts["tokens"], facts["alphabet"]) == ("gru", 4, list(TOKENS))
    assert stderr == sentence
    written, stderr = run("sample", model, "--tokens", tokens, "--prime", "ab", "--length", 9, "--seed", 1, "--json")
    assert sentence in stderr
    scored, _ = run(
        "score", model, model.with_name("text.txt"), "--tokens", f"text:{model.with_name('text.txt')}", "--json"
    )
    assert 1 < json.loads(scored)["loss"] < 2
    out = model.with_name("out.safetensors")
    run("export", model, out, "--tokens", tokens)
    again, _ = run("sample", out, "--prime", "ab", "--length", 9, "--seed", 1, "--json")
    assert json.loads(again)["text"] == json.loads(written)["text"]
    assert run("sample", out, "--tokens", tokens, ok=False)[1].endswith("has its own alphabet; leave --tokens out\n")
    net = model.with_name("out.net")
    run("export", out, net)
    assert json.loads(run("info", net, "--json")[0])["cell"] == "gru"


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ("printable", "its model has 4 tokens, --tokens gives 100"),
        ("nowhere.txt", "nowhere.txt: no such file"),
    ],
)
def test_what_does_not_fit_is_said_in_a_line(model: Path, tokens: str, message: str) -> None:
    _, stderr = run("info", model, "--tokens", tokens, ok=False)
    assert message in stderr.splitlines()[-1]


def test_without_an_alphabet_the_way_out_is_named(model: Path) -> None:
    _, stderr = run("sample", model, ok=False)
    assert "name it with --tokens" in stderr


def test_a_recipe_of_it_is_followed(model: Path) -> None:
    tokens = model.with_name("tokens.txt")
    stdout, _ = run("sample", model, "--tokens", tokens, "--length", 9, "--seed", 1, "--json")
    written = json.loads(stdout)
    recipe = model.with_name("recipe.json")
    recipe.write_text(json.dumps(written["recipe"]))
    again, _ = run("sample", "--recipe", recipe, "--tokens", tokens, "--json")
    assert json.loads(again)["text"] == written["text"]


@pytest.mark.parametrize("arguments", [["score", "--dynamic"], ["export", "model.onnx"]])
def test_what_only_an_lstm_can_is_refused(model: Path, arguments: list[str]) -> None:
    command, rest = arguments
    place = model.with_name("text.txt") if command == "score" else model.with_name(rest)
    options = [rest] if command == "score" else []
    _, stderr = run(command, model, place, *options, "--tokens", model.with_name("tokens.txt"), ok=False)
    assert "GRU" in stderr.splitlines()[-1]
    assert "LSTM" in stderr.splitlines()[-1]

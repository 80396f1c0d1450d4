"""Models of other people's code: recognised by shapes, their alphabets found, the same logits as torch computes."""

import argparse
import string
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from charrnn_tui.checkpoint.checkpoint import CheckpointError
from charrnn_tui.checkpoint.net_file import read_net
from charrnn_tui.sampling.char_model import CharModel

TOKENS = ("b", "\n", "a", "é", "\U0001f600")
IDS = [0, 3, 4, 4, 1, 2, 0]
ZIP_AND_LEGACY = pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])


class Embedded(nn.Module):
    """As most tutorials have it."""

    def __init__(self, cell: str = "LSTM", size: int = 3, hidden: int = 4, layers: int = 2, **options: Any) -> None:
        super().__init__()
        self.encoder = nn.Embedding(len(TOKENS), size)
        self.rnn = getattr(nn, cell)(size, hidden, layers, dropout=0.5, **options)
        self.drop = nn.Dropout(0.5)
        self.decoder = nn.Linear(hidden, len(TOKENS))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.drop(self.rnn(self.encoder(ids))[0]))


class OneHot(nn.Module):
    """A module for each layer, no biases, and its alphabet with it."""

    def __init__(self) -> None:
        super().__init__()
        self.chars = TOKENS
        self.gru1, self.gru2 = nn.GRU(len(TOKENS), 4, bias=False), nn.GRU(4, 4, bias=False)
        self.fc = nn.Linear(4, len(TOKENS), bias=False)
        self.args = argparse.Namespace(hidden=4, seen=Counter("aab"))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = nn.functional.one_hot(ids, len(TOKENS)).float()
        return self.fc(self.gru2(self.gru1(x)[0])[0])


class Cells(nn.Module):
    """Steps written out, eleven layers: the tenth stands behind the second."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(TOKENS), 4)
        self.cells = nn.ModuleList([nn.RNNCell(4, 4) for _ in range(11)])
        self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(4, len(TOKENS)))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        outputs, states = [], [torch.zeros(4) for _ in self.cells]
        for token in ids:
            x = self.embed(token)
            for number, cell in enumerate(self.cells):
                x = states[number] = cell(x[None], states[number][None])[0]
            outputs.append(self.head(x))
        return torch.stack(outputs)


MODELS = {
    "lstm": Embedded,
    "gru": lambda: Embedded("GRU"),
    "rnn": lambda: Embedded("RNN", layers=3),
    "embedding as wide as the hidden state": lambda: Embedded("GRU", size=4),
    "no biases": lambda: Embedded("LSTM", bias=False),
    "one-hot": OneHot,
    "cells": Cells,
}


@torch.no_grad()
def same(path: Path, model: nn.Module, tokens: tuple[str, ...] | None = None) -> None:
    """Whether a file is read as what torch computes."""
    expected = model.eval()(torch.tensor(IDS)).numpy()
    checkpoint = read_net(path, tokens)
    assert checkpoint.vocabulary.tokens == TOKENS
    network = CharModel(checkpoint)
    state = network.initial_state()
    for token, logits in zip(IDS, expected, strict=True):
        ours, state = network.step(token, state)
        np.testing.assert_allclose(ours, logits, atol=1e-5)


def saved(path: Path, values: Any, as_zip: bool = True) -> Path:
    torch.manual_seed(0)
    torch.save(values, path, _use_new_zipfile_serialization=as_zip)
    return path


def refused(path: Path, tokens: tuple[str, ...] | None = TOKENS) -> str:
    with pytest.raises(CheckpointError) as caught:
        read_net(path, tokens)
    message = str(caught.value)
    assert message.isprintable()
    return message.removeprefix(f"{path}: ")


@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
@ZIP_AND_LEGACY
@pytest.mark.parametrize("name", MODELS)
def test_a_state_dict_and_a_whole_module_give_what_torch_computes(tmp_path: Path, name: str, as_zip: bool) -> None:
    torch.manual_seed(0)
    model = MODELS[name]()
    same(saved(tmp_path / "1.pth", model.state_dict(), as_zip), model, TOKENS)
    values = {"model": model, "epoch": 3, "chars": list(TOKENS)}
    same(saved(tmp_path / "2.pth", values, as_zip), model)
    same(saved(tmp_path / "3.pth", {"net": model.state_dict(), "vocab": {"stoi": _numbered()}}, as_zip), model)
    alone = saved(tmp_path / "4.pth", model, as_zip)
    same(alone, model, None if isinstance(model, OneHot) else TOKENS)


def _numbered() -> dict[str, int]:
    return {token: number for number, token in enumerate(TOKENS)}


@pytest.mark.parametrize(
    "alphabet",
    [
        {"char_to_ix": _numbered()},
        {"char2idx": dict(reversed(_numbered().items()))},
        {"itos": list(TOKENS)},
        {"idx2char": dict(enumerate(TOKENS))},
        {"vocab": "".join(TOKENS)},
        {"config": {"chars": TOKENS}},
        {"args": argparse.Namespace(alphabet=TOKENS)},
        {"data": {"vocab": argparse.Namespace(itos=list(TOKENS))}},
    ],
    ids=lambda alphabet: next(iter(alphabet)),
)
def test_an_alphabet_is_found_under_any_of_its_names(tmp_path: Path, alphabet: dict[str, Any]) -> None:
    model = Embedded("GRU")
    same(saved(tmp_path / "m.pth", {"model_state_dict": model.state_dict(), **alphabet}), model)


def test_a_whole_module_in_a_wrapper_is_read(tmp_path: Path) -> None:
    model = Embedded()
    same(saved(tmp_path / "m.pth", nn.DataParallel(model)), model, TOKENS)


class Activated(Embedded):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()


class Hooked(Embedded):
    def __reduce__(self) -> Any:
        return print, ("this must not run",)


@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
@ZIP_AND_LEGACY
@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Activated(), "its part relu is a ReLU, which is not understood"),
        (Embedded("RNN", nonlinearity="relu"), "its part rnn is an RNN of relu; only one of tanh is understood"),
        (Hooked(), "holds more than weights and plain values (builtins.print), and loading that could run code"),
        (nn.Linear(2, 2), "it has no LSTM, GRU or RNN: no tensor whose name ends in weight_hh_l0"),
        (argparse.Namespace(lr=1), "holds an object of the class argparse.Namespace, not the notebook's dictionary"),
        (nn.Sequential(nn.LSTM(5, 4), nn.LayerNorm(4)), "its part 1 is a LayerNorm, which is not understood"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_understood_is_named(
    tmp_path: Path, model: Any, message: str, as_zip: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(saved(tmp_path / "m.pth", model, as_zip))
    assert capsys.readouterr().out == ""


class Nest(nn.Module):
    pass


def test_modules_that_hold_one_another_are_refused_at_once(tmp_path: Path) -> None:
    model = inner = Embedded()
    for _ in range(40):
        inner.a = inner.b = inner = Nest()
    inner.back = [model]
    assert refused(saved(tmp_path / "m.pth", model)) == "its modules are nested too deep"


def test_an_alphabet_of_another_size_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.pth", Embedded().state_dict())
    assert refused(path, tuple(string.printable)) == "its model has 5 tokens, --tokens gives 100"
    assert refused(path, None).startswith(
        "is a state_dict, weights without the alphabet: it has no tokens; their order"
    )
    with_tokens = saved(tmp_path / "t.pth", {"state_dict": Embedded().state_dict(), "tokens": TOKENS})
    assert refused(with_tokens) == "has its own alphabet; leave --tokens out"

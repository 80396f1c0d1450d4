"""Checkpoints as safetensors: every bit, every fact, and refusals that say what is wrong."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from charrnn_tui.checkpoint.checkpoint import Checkpoint, CheckpointError, sizes_of, tensor_shapes
from charrnn_tui.checkpoint.safetensors_file import looks_like_safetensors, read_checkpoint, write_checkpoint
from charrnn_tui.run.memory import parameter_count
from charrnn_tui.text.vocabulary import Vocabulary
from tests.checkpoint.random_checkpoints import TOKENS, random_checkpoint, same_bits

FACTS: dict[str, Any] = {
    "corpus": "änna\n",
    "step": 12,
    "val_loss": 1.25,
    "loss": None,
    "settings": {"lr": 0.001, "output_bias": True},
    "format": "a fact of this name does not hide what the file is",
}


def refused(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    return message.removeprefix(f"{path}: ")


def saved(path: Path, weights: dict[str, Any] | None = None, **metadata: str) -> Path:
    known = {"format": "charrnn-tui", "format_version": "1", "tokens": json.dumps(TOKENS)}
    safetensors.numpy.save_file(weights or dict(random_checkpoint().weights), path, known | metadata)
    return path


@pytest.mark.parametrize(("n_hidden", "n_layers", "dtype"), [(1, 1, "float32"), (4, 3, "float64"), (6, 2, "float16")])
def test_every_bit_comes_back(tmp_path: Path, n_hidden: int, n_layers: int, dtype: str) -> None:
    checkpoint = random_checkpoint(n_hidden, n_layers, dtype)
    write_checkpoint(tmp_path / "m.safetensors", checkpoint)
    assert same_bits(read_checkpoint(tmp_path / "m.safetensors"), checkpoint)


def test_every_fact_comes_back(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "m.safetensors", random_checkpoint(**FACTS))
    facts = read_checkpoint(tmp_path / "m.safetensors").facts
    assert {name: facts[name] for name in FACTS if name != "format"} == {
        name: value for name, value in FACTS.items() if name != "format"
    }
    assert (facts["format_version"], facts["cell"], facts["n_hidden"], facts["n_layers"]) == (1, "lstm", 4, 2)


def test_tensors_need_not_lie_in_order_in_memory(tmp_path: Path) -> None:
    checkpoint = random_checkpoint()
    turned = {name: np.asfortranarray(tensor) for name, tensor in checkpoint.weights.items()}
    write_checkpoint(tmp_path / "m", Checkpoint(turned, checkpoint.vocabulary, 4, 2))
    assert same_bits(read_checkpoint(tmp_path / "m"), checkpoint)


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.safetensors"
    write_checkpoint(path, random_checkpoint(step=1))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_checkpoint(path, random_checkpoint(step=2))
    assert read_checkpoint(path).facts["step"] == 1
    assert list(tmp_path.iterdir()) == [path]


def test_the_first_bytes_tell_a_safetensors_file(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "m", random_checkpoint())
    assert looks_like_safetensors((tmp_path / "m").read_bytes()[:16])
    for head in (b"", b"{", b"PK\x03\x04\0\0\0\0\0", b"\xff" * 8 + b"{"):
        assert not looks_like_safetensors(head)


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere") == "no such file"
    assert refused(tmp_path) == "is a directory, not a checkpoint"


@pytest.mark.parametrize("cut", [0, 7, 9, 100, -1])
def test_a_file_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "m.safetensors"
    write_checkpoint(path, random_checkpoint())
    path.write_bytes(path.read_bytes()[:cut])
    assert "is not a readable checkpoint" in refused(path)


def test_a_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.safetensors").write_text("Happy families are all alike.")
    assert "is not a readable checkpoint" in refused(tmp_path / "t.safetensors")


def test_the_safetensors_file_of_another_program_is_called_that(tmp_path: Path) -> None:
    safetensors.numpy.save_file({"embed": np.zeros(3)}, tmp_path / "m", {"format": "pt"})
    assert refused(tmp_path / "m") == (
        "a safetensors file, but no alphabet in its metadata: not written by charrnn-tui"
    )
    safetensors.numpy.save_file({"embed": np.zeros(3)}, tmp_path / "m")
    assert "not written by charrnn-tui" in refused(tmp_path / "m")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"tokens": "["}, "its alphabet is damaged: is not JSON"),
        ({"tokens": "5"}, "its alphabet is damaged"),
        ({"tokens": '["a", "a"]'}, "its alphabet is damaged: a character stands twice"),
        ({"tokens": '["ab"]'}, "its alphabet is damaged: a token must be one character"),
        ({"format_version": "2"}, "its format version is 2, newer than this program reads (1)"),
        ({"format_version": '"x"'}, "its metadata are damaged: no format version"),
        ({"cell": '"qrnn"'}, "its cell is 'qrnn'; this version supports lstm, gru, rnn"),
        ({"cell": '["lstm"]'}, "its cell is ['lstm']; this version supports lstm, gru, rnn"),
        ({"cell": '"gru"'}, "says that its cell is gru, but its tensors are of lstm"),
        ({"tokens": '["a", "b"]'}, "the tensor lstm.weight_ih_l0 is 16 × 5, expected 16 × 2"),
    ],
)
def test_metadata_that_do_not_fit_are_named(tmp_path: Path, metadata: dict[str, str], message: str) -> None:
    assert refused(saved(tmp_path / "m", **metadata)).startswith(message)


@pytest.mark.parametrize(
    ("damage", "left_out"),
    [
        ({"step": '"12"', "loss": "NaN"}, "loss, step"),
        ({"epoch": "-1", "chars": "1e400", "corpus": "[1]"}, "chars, corpus, epoch"),
        pytest.param({"settings": "[" * 100_000, "val_loss": "1" * 5000}, "settings, val_loss", id="deep-and-long"),
        ({"colour\x1b": '"red"'}, "colour\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_facts_that_are_damaged_or_unknown_are_left_out_and_named(
    tmp_path: Path, damage: dict[str, str], left_out: str, caplog: pytest.LogCaptureFixture
) -> None:
    read = read_checkpoint(saved(tmp_path / "m", **damage, run='"anna-1"'))
    assert read.facts == {"format_version": 1, "run": "anna-1"}
    path, _, told = caplog.messages[0].partition(": facts left out, unknown or damaged: ")
    assert (path, sorted(told.split(", "))) == (str(tmp_path / "m"), left_out.split(", "))
    write_checkpoint(tmp_path / "again", read)


def test_damaged_settings_do_not_hide_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read = read_checkpoint(saved(tmp_path / "m", settings='{"lr": NaN, "encoding": "latin-1", "device": 3}'))
    assert read.facts.get("settings") == {"encoding": "latin-1"}
    assert caplog.messages[0].endswith("unknown or damaged: settings.lr, settings.device")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fc.bias": None}, "the tensor fc.bias is missing"),
        ({"lstm.bias_ih_l1": np.zeros(3, "float32")}, "the tensor lstm.bias_ih_l1 is 3, expected 16"),
        ({"embed\x1b[31m\n": np.zeros(3)}, "has no place in a CharRNN of 2 LSTM layers"),
        ({"fc.bias": np.zeros(5, "int64")}, "the tensor fc.bias is of type int64, not floating point"),
        ({"lstm.weight_hh_l7": np.zeros((16, 4))}, "its LSTM layers are numbered 0, 1, 7, not 0, 1, …"),
        ({"lstm.weight_hh_l0": np.zeros(3)}, "the tensor lstm.weight_hh_l0 has 1 dimensions, expected 2"),
        ({"lstm.weight_hh_l999999999999": np.zeros(1)}, "has no place in a CharRNN of 2 LSTM layers"),
    ],
)
def test_tensors_that_do_not_fit_are_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    weights = dict(random_checkpoint().weights) | changes
    assert message in refused(saved(tmp_path / "m", {name: t for name, t in weights.items() if t is not None}))


@pytest.mark.parametrize("added", [False, True])
def test_a_type_that_numpy_has_not_is_named(added: bool, tmp_path: Path) -> None:
    if added:
        pytest.importorskip("ml_dtypes")  # adds bfloat16 to NumPy for the rest of this process, as onnx does
    header = json.dumps(
        {
            "__metadata__": {"format": "charrnn-tui", "format_version": "1", "tokens": '["a"]'},
            "fc.bias": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]},
        }
    ).encode()
    (tmp_path / "m").write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    assert refused(tmp_path / "m") == "the tensor fc.bias is of type BF16, not a usual floating point type"


def test_a_file_without_recurrent_layers_is_refused(tmp_path: Path) -> None:
    assert refused(saved(tmp_path / "m", {"qrnn.weight_hh_l0": np.zeros((3, 1))})) == (
        "it has no LSTM, GRU or RNN (no tensor lstm.weight_hh_l0)"
    )


def test_sizes_and_parameters_are_counted() -> None:
    checkpoint = random_checkpoint(6, 3)
    assert sizes_of(checkpoint.weights) == (6, 3)
    assert checkpoint.parameters == parameter_count(5, 6, 3) == sum(t.size for t in checkpoint.weights.values())
    assert parameter_count(83, 512, 2) == 3_366_483  # the notebook's model: its published layer sizes


def test_names_and_order_are_those_of_the_notebook_s_state_dict() -> None:
    assert list(tensor_shapes(83, 512, 2).items()) == [
        ("lstm.weight_ih_l0", (2048, 83)),
        ("lstm.weight_hh_l0", (2048, 512)),
        ("lstm.bias_ih_l0", (2048,)),
        ("lstm.bias_hh_l0", (2048,)),
        ("lstm.weight_ih_l1", (2048, 512)),
        ("lstm.weight_hh_l1", (2048, 512)),
        ("lstm.bias_ih_l1", (2048,)),
        ("lstm.bias_hh_l1", (2048,)),
        ("fc.weight", (83, 512)),
        ("fc.bias", (83,)),
    ]


def test_weights_that_are_not_numbers_are_noticed() -> None:
    checkpoint = random_checkpoint()
    assert checkpoint.finite
    checkpoint.weights["fc.bias"][0] = np.nan
    assert not checkpoint.finite


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_other_cells_keep_every_bit(tmp_path: Path, cell: str) -> None:
    shapes = tensor_shapes(len(TOKENS), 4, 2, cell)
    random = np.random.default_rng(0)
    weights = {name: random.normal(size=shape).astype("float32") for name, shape in shapes.items()}
    checkpoint = Checkpoint(weights, Vocabulary(TOKENS), 4, 2)
    write_checkpoint(tmp_path / "m.safetensors", checkpoint)
    loaded = read_checkpoint(tmp_path / "m.safetensors")
    assert same_bits(loaded, checkpoint)
    assert (loaded.cell, loaded.facts["cell"]) == (cell, cell)

"""The notebook's `.net` files: all variants in the wild are read; what is none is refused, and never run."""

import io
import pickle
import random
import zipfile
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from charrnn_tui.checkpoint.checkpoint import CheckpointError
from charrnn_tui.checkpoint.net_file import read_net
from charrnn_tui.checkpoint.safetensors_file import read_checkpoint, write_checkpoint
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.training.net_writer import write_net
from tests.checkpoint.random_checkpoints import TOKENS, random_checkpoint, same_bits

ZIP_AND_LEGACY = pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "legacy"])
EXPECTED = random_checkpoint()


def state_dict(**changes: Any) -> dict[str, Any]:
    tensors = {name: torch.from_numpy(tensor.copy()) for name, tensor in EXPECTED.weights.items()}
    return tensors | {name.replace("__", "."): value for name, value in changes.items()}


def notebook_file(**changes: Any) -> dict[str, Any]:
    return {"n_hidden": 4, "n_layers": 2, "state_dict": state_dict(), "tokens": TOKENS} | changes


def saved(path: Path, values: Any, as_zip: bool = True) -> Path:
    torch.save(values, path, _use_new_zipfile_serialization=as_zip)
    return path


def refused(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        read_net(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    return message.removeprefix(f"{path}: ")


@ZIP_AND_LEGACY
@pytest.mark.parametrize(
    "values",
    [
        notebook_file(),
        dict(reversed(notebook_file().items())),
        notebook_file(tokens=list(TOKENS)),
        notebook_file(tokens="".join(TOKENS)),
        notebook_file(state_dict=OrderedDict(state_dict())),
        notebook_file(state_dict=dict(reversed(state_dict().items()))),
        notebook_file(state_dict={name.replace("fc.", "fc1."): t for name, t in state_dict().items()}),
        notebook_file(state_dict={"module." + name: t for name, t in state_dict().items()}),
        notebook_file(state_dict={"_orig_mod.module." + name: t for name, t in state_dict().items()}),
        notebook_file(state_dict={name: nn.Parameter(t) for name, t in state_dict().items()}),
        notebook_file(n_hidden=torch.tensor(4)),
        {"state_dict": state_dict(), "tokens": TOKENS, "epoch": 20, "optimizer": {"lr": 0.1}},
    ],
    ids=lambda values: ",".join(map(str, values))[:40],
)
def test_variants_in_the_wild_are_read(tmp_path: Path, values: Any, as_zip: bool) -> None:
    assert same_bits(read_net(saved(tmp_path / "rnn.net", values, as_zip)), EXPECTED)


INT2CHAR = dict(enumerate(TOKENS))
CHAR2INT = {char: number for number, char in INT2CHAR.items()}


def renamed(prefix: str, lstm: str = "lstm", output: str = "fc") -> dict[str, Any]:
    return {prefix + n.replace("lstm.", lstm + ".").replace("fc.", output + "."): t for n, t in state_dict().items()}


@ZIP_AND_LEGACY
@pytest.mark.parametrize(
    "values",
    [
        notebook_file(state_dict=renamed("model.")),
        notebook_file(state_dict=renamed("net.")),
        notebook_file(state_dict=renamed("", "rnn", "decoder")),
        notebook_file(state_dict=renamed("module.model.", "rnn", "linear")),
        notebook_file(state_dict={name: t.numpy() for name, t in state_dict().items()}),
        {"model_state_dict": state_dict(), "chars": TOKENS, "optimizer_state_dict": {"state": {0: {"step": 1.0}}}},
        {"model": state_dict(), "itos": list(TOKENS)},
        {"model": state_dict(), "int2char": INT2CHAR},
        {"model": state_dict(), "int2char": dict(reversed(INT2CHAR.items())), "n_hidden": np.int64(4)},
        {"model": state_dict(), "char2int": dict(reversed(CHAR2INT.items())), "n_layers": np.float32(2)},
        {"state_dict": state_dict(), "tokens": np.array(TOKENS), "n_hidden": np.array(4), "loss": np.float64(1.5)},
        {"state_dict": state_dict(), "tokens": [np.str_(token) for token in TOKENS]},
        defaultdict(int, state_dict=state_dict(), int2char=defaultdict(str, INT2CHAR), n_hidden=4),
        {"state_dict": state_dict(), "tokens": TOKENS, "size": torch.zeros(2, 3).size(), "dtype": torch.float32},
    ],
    ids=lambda values: ",".join(map(str, values))[:40],
)
def test_layouts_of_other_scripts_are_read(tmp_path: Path, values: Any, as_zip: bool) -> None:
    assert same_bits(read_net(saved(tmp_path / "rnn.net", values, as_zip)), EXPECTED)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_of_pickle_is_read(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "rnn.net"
    torch.save(notebook_file(numbers=[1, -70_000, 2**40, 0.5], of={"a", "b"}), path, pickle_protocol=protocol)
    assert same_bits(read_net(path), EXPECTED)


@ZIP_AND_LEGACY
def test_views_of_one_storage_are_read(tmp_path: Path, as_zip: bool) -> None:
    """As cuDNN leaves them: all weights flat in one storage; and one transposed in memory."""
    flat = torch.cat([tensor.flatten() for tensor in state_dict().values()])
    tensors, start = {}, 0
    for name, tensor in state_dict().items():
        tensors[name] = flat[start : start + tensor.numel()].view(tensor.shape)
        start += tensor.numel()
    tensors["fc.weight"] = tensors["fc.weight"].t().contiguous().t()
    path = saved(tmp_path / "rnn.net", notebook_file(state_dict=tensors), as_zip)
    assert same_bits(read_net(path), EXPECTED)


def test_an_embedding_is_folded_into_the_input_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    embedding, lstm, fc = nn.Embedding(5, 3), nn.LSTM(3, 4, 2, batch_first=True), nn.Linear(4, 5)
    parts = nn.ModuleDict({"encoder": embedding, "rnn": lstm, "decoder": fc})
    path = saved(tmp_path / "rnn.net", {"model": parts.state_dict(), "chars": TOKENS})
    ids = [0, 3, 4, 4, 1, 2]
    expected = fc(lstm(embedding(torch.tensor([ids])))[0])[0].detach().numpy()
    network = CharModel(read_net(path))
    state = network.initial_state()
    for token, logits in zip(ids, expected, strict=True):
        ours, state = network.step(token, state)
        np.testing.assert_allclose(ours, logits, atol=1e-5)


@pytest.mark.parametrize(("n_hidden", "n_layers", "dtype"), [(1, 1, "float32"), (7, 4, "float64"), (5, 2, "float16")])
def test_net_to_safetensors_and_back_keeps_every_bit(tmp_path: Path, n_hidden: int, n_layers: int, dtype: str) -> None:
    original = random_checkpoint(n_hidden, n_layers, dtype)
    write_net(tmp_path / "1.net", original)
    write_checkpoint(tmp_path / "2.safetensors", read_net(tmp_path / "1.net"))
    write_net(tmp_path / "3.net", read_checkpoint(tmp_path / "2.safetensors"))
    assert same_bits(read_net(tmp_path / "3.net"), original)


def test_bfloat16_is_read_without_loss(tmp_path: Path) -> None:
    tensors = {name: t.bfloat16() for name, t in state_dict().items()}
    checkpoint = read_net(saved(tmp_path / "rnn.net", notebook_file(state_dict=tensors)))
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(checkpoint.weights[name], tensor.float().numpy())


def test_what_is_written_loads_as_the_notebook_loads_it(tmp_path: Path) -> None:
    write_net(tmp_path / "rnn.net", EXPECTED)
    with (tmp_path / "rnn.net").open("rb") as file:
        loaded = torch.load(file, weights_only=True)
    assert (loaded["n_hidden"], loaded["n_layers"], loaded["tokens"]) == (4, 2, TOKENS)
    network = nn.ModuleDict({"lstm": nn.LSTM(5, 4, 2, batch_first=True), "fc": nn.Linear(4, 5)})
    network.load_state_dict(loaded["state_dict"])


@ZIP_AND_LEGACY
def test_tensors_saved_on_a_gpu_come_to_the_cpu(tmp_path: Path, as_zip: bool) -> None:
    path = saved(tmp_path / "rnn.net", notebook_file(), as_zip)

    def moved(data: bytes) -> bytes:  # the location of each storage is a string in the pickle
        assert data.count(b"X\x03\x00\x00\x00cpu") > 0
        return data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")

    if as_zip:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, moved(data) if name.endswith("data.pkl") else data)
    else:
        path.write_bytes(moved(path.read_bytes()))
    if not torch.cuda.is_available():
        with pytest.raises(RuntimeError, match="CUDA"):
            torch.load(path, weights_only=True)
    assert same_bits(read_net(path), EXPECTED)


class Malice:
    """Unpickled by the book, it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return open, (str(self.marker), "w")


@ZIP_AND_LEGACY
def test_a_malicious_file_is_refused_and_not_run(tmp_path: Path, as_zip: bool) -> None:
    marker = tmp_path / "marker"
    path = saved(tmp_path / "rnn.net", notebook_file(extra=Malice(marker)), as_zip)
    name = f"{open.__module__}.open"  # _io.open since Python 3.12
    assert f"holds more than weights and plain values ({name}), and loading that could run code" in refused(path)
    assert not marker.exists()
    with torch.serialization.safe_globals([open]):
        torch.load(path, weights_only=True)["extra"].close()
    assert marker.exists()  # so the trap was real


@ZIP_AND_LEGACY
def test_a_file_cut_off_is_called_that(tmp_path: Path, as_zip: bool) -> None:
    path = saved(tmp_path / "rnn.net", notebook_file(), as_zip)
    whole = path.read_bytes()
    for length in (3, 20, 100, 1000, len(whole) // 2, len(whole) - 10):
        path.write_bytes(whole[:length])
        assert refused(path) == "is not a checkpoint: it is a torch file that is damaged or cut off"


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")  # torch's remark on a byte that was flipped
@ZIP_AND_LEGACY
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path: Path, as_zip: bool) -> None:
    path = saved(tmp_path / "rnn.net", notebook_file(), as_zip)
    whole, dice = path.read_bytes(), random.Random(0)
    refusals: list[str] = []
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[dice.randrange(600)] = dice.randrange(256)
        path.write_bytes(damaged)
        try:
            read_net(path)
        except CheckpointError as error:
            refusals.append(str(error))
    assert len(refusals) > 20
    assert all(map(str.isprintable, refusals))


def a_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", "<a/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is not a checkpoint: it is empty"),
        (b"Happy families are all alike.\n", "is not a checkpoint: it is not a torch file"),
        (pickle.dumps({"n_hidden": 4}), "is not a checkpoint: it is not a torch file"),
        (a_zip(), "is not a checkpoint: it is a zip archive, but not one of torch's"),
    ],
)
def test_other_files_are_called_what_they_are(tmp_path: Path, data: bytes, what: str) -> None:
    (tmp_path / "rnn.net").write_bytes(data)
    assert refused(tmp_path / "rnn.net") == what


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere.net") == "cannot be read: No such file or directory"
    assert refused(tmp_path) == "cannot be read: Is a directory"


def test_tokens_nested_deeper_than_python_can_write_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "rnn.net", notebook_file(tokens=["<here>"]))
    here = b"X\x06\x00\x00\x00<here>"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data.replace(here, b"]" + b"\x85" * 9999) if "data.pkl" in name else data)
    assert refused(path).startswith("its tokens are damaged: ")


def network(cell: nn.Module, name: str = "lstm") -> dict[str, Any]:
    return notebook_file(
        state_dict={f"{name}.{part}": tensor for part, tensor in cell.state_dict().items()}
        | {name: tensor for name, tensor in state_dict().items() if name.startswith("fc.")}
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (torch.zeros(3), "is a torch file, but holds a Tensor, not the notebook's dictionary"),
        (
            state_dict(),
            "is a state_dict, weights without the alphabet: it has no tokens; their order cannot be known",
        ),
        (
            {"state_dict": state_dict()},
            "has no tokens; their order cannot be known: the notebook takes it from a Python set",
        ),
        (network(nn.LSTM(5, 4, 2, bidirectional=True)), "its recurrent layers are bidirectional"),
        (network(nn.LSTM(5, 4, 2, proj_size=3)), "the tensor lstm.weight_hr_l0 is a projection"),
        (network(nn.LSTM(5, 6, 2)), "it has no linear layer behind its 6 hidden units"),
        (notebook_file(state_dict=state_dict(lstm__weight_hh_l0=torch.zeros(15, 4))), "is of no LSTM, GRU or RNN"),
        (notebook_file(state_dict=state_dict(lstm__weight_hh_l0=torch.tensor(1.0))), "is of no LSTM, GRU or RNN"),
        (notebook_file(state_dict=state_dict(lstm__weight_hh_l1=torch.zeros(12, 4))), "of several kinds: gru, lstm"),
        (notebook_file(state_dict={"fc.weight": torch.zeros(5, 4)}), "it has no LSTM, GRU or RNN"),
        (notebook_file(state_dict=state_dict(norm__weight=torch.zeros(4))), "the tensor norm.weight has no place in"),
        (
            notebook_file(state_dict=state_dict(fc2__weight=torch.zeros(5, 5), fc2__bias=torch.zeros(5))),
            "fc2.weight has",
        ),
        (notebook_file(n_hidden=5), "says n_hidden = 5, but its tensors say 4"),
        (notebook_file(n_layers="2"), "says n_layers = '2', but its tensors say 2"),
        (notebook_file(tokens=TOKENS[:4]), "the tensor lstm.weight_ih_l0 is 16 × 5, expected 16 × 4"),
        (notebook_file(tokens=5), "its tokens are damaged: 'int' object is not iterable"),
        (notebook_file(tokens={"a": 0, "bc": 1}), "its tokens are damaged: a token must be one character, not 'bc'"),
        (notebook_file(n_hidden=np.array(["\N{GRINNING FACE}"])), "says n_hidden = 'a Array', but its tensors say 4"),
        (notebook_file(tokens=set("abcde")), "its tokens are damaged: a set has no order"),
        ({"weights": 1}, "is not the notebook's checkpoint: it has no state_dict (its keys: 'weights')"),
        (notebook_file(state_dict=[1]), "its state_dict is not a dictionary of tensors"),
        (
            notebook_file(state_dict=state_dict() | {3: torch.zeros(1)}),
            "its state_dict has a key that is not a name: 3",
        ),
        (notebook_file(state_dict=state_dict(fc__bias=torch.zeros(5, dtype=torch.int8))), "is of type int8"),
        (
            notebook_file(state_dict=state_dict(fc__bias=torch.zeros(5, device="meta"))),
            "_rebuild_meta_tensor_no_storage",
        ),
        (notebook_file(state_dict=state_dict(fc2__bias=torch.zeros(5))), "the tensor fc2.bias has no place"),
        (notebook_file(state_dict=state_dict(**{"a\n\x1b[31mb": torch.zeros(5)})), "has no place"),
    ],
)
def test_files_that_do_not_fit_are_refused_by_what_is_wrong(tmp_path: Path, values: Any, message: str) -> None:
    assert message in refused(saved(tmp_path / "rnn.net", values))

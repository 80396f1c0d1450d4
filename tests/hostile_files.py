"""Files as nobody writes them: valid ones in which a seed has changed something."""

import io
import json
import platform
import random
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.run.events import to_line
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.training.net_writer import write_net
from tests.checkpoint.random_checkpoints import TOKENS, random_checkpoint
from tests.run.test_events import ALL, step_done

# JSON in the place of any value: other types, no numbers, huge numbers, deep nesting, what a terminal would obey.
FRAGMENTS = [
    *("null", "true", "-1", "0", "1.5", "1e400", "-1e308", "1e18", "NaN", "Infinity", "-Infinity"),
    *("9" * 19, "9" * 25, "9" * 5000, '""', '"x"', '"\\ud800"', '"\\u001b[31m\\u202e"', '"12"'),
    *("[]", "[[]]", "[1]", "{}", '{"a": 1}', "[" * 100_000, '{"a":' * 100_000, "["),
]
VALUES: list[Any] = [
    *(None, True, -1, 0, 1.5, float("nan"), float("inf"), 2**70, "", "x", "\x1b[31m", [], [1], {}, {0: "a"}, b"x", 1j),
    *(np.int64(3), np.float64("nan"), np.zeros(3), np.array(["a", "bc"]), np.array([None])),
    *(
        torch.zeros(0),
        torch.zeros(3),
        torch.tensor(4),
        torch.ones(2, dtype=torch.complex64),
        torch.tensor(float("inf")),
    ),
]
SCALES = [0.0, 1e-40, 1e4, 1e20, 1e38, float("inf"), float("nan")]
Dice = random.Random


def with_fragment(values: Any, dice: Dice) -> str:
    """A JSON object as text, one of its values, or of an object in it, replaced by a fragment."""
    target = values
    key = dice.choice(sorted(target))
    while isinstance(target[key], dict) and target[key] and dice.random() < 0.8:
        target = target[key]
        key = dice.choice(sorted(target))
    kept, target[key] = target[key], "<here>"
    text = json.dumps(values)
    target[key] = kept
    return text.replace('"<here>"', dice.choice(FRAGMENTS))


def flipped(data: bytes, dice: Dice, first: int | None = None) -> bytes:
    """Some bytes are others, among the first so many."""
    changed = bytearray(data)
    for _ in range(dice.choice([1, 1, 2, 5, 20])):
        changed[dice.randrange(min(len(data), first or len(data)))] = dice.randrange(256)
    return bytes(changed)


def cut(data: bytes, dice: Dice) -> bytes:
    return data[: dice.randrange(len(data))] if dice.random() < 0.8 else data + dice.randbytes(dice.randrange(1, 99))


def scaled(checkpoint: Checkpoint, dice: Dice) -> Checkpoint:
    name, factor = dice.choice(sorted(checkpoint.weights)), dice.choice(SCALES)
    with np.errstate(all="ignore"):
        weights = {**checkpoint.weights, name: checkpoint.weights[name] * np.float32(factor)}
    return Checkpoint(weights, checkpoint.vocabulary, checkpoint.n_hidden, checkpoint.n_layers, checkpoint.facts)


FACTS: dict[str, Any] = {
    "run": "anna-1",
    "corpus": "anna",
    "corpus_sha256": "0" * 64,
    "chars": 999,
    "step": 5,
    "steps": 9,
    "epoch": 1,
    "epochs": 2,
    "loss": 2.0,
    "val_loss": 2.1,
    "best_val_loss": 2.1,
    "last_val_loss": 2.1,
    "last_val_step": 5,
    "batch_size": 4,
    "seq_length": 10,
    "val_frac": 0.1,
    "device": "cpu",
    "precision": "float32",
    "settings": TrainSettings().to_json(),
    "versions": {"torch": "2"},
}


def hostile_safetensors(path: Path, dice: Dice) -> str:
    """Write a file and say what is wrong with it."""
    checkpoint = random_checkpoint(
        dice.choice([1, 4]), dice.choice([1, 2]), dice.choice(["float32", "float16"]), **FACTS
    )
    write_checkpoint(path, checkpoint)
    data = path.read_bytes()
    length = 8 + struct.unpack("<Q", data[:8])[0]
    kind = dice.choice(["flip", "flip-header", "cut", "fact", "fact", "fact", "tensor", "scale"])
    if kind == "scale":
        write_checkpoint(path, scaled(checkpoint, dice))
    elif kind == "cut":
        path.write_bytes(cut(data, dice))
    elif kind.startswith("flip"):
        path.write_bytes(flipped(data, dice, length if kind == "flip-header" else None))
    else:
        header = json.loads(data[8:length])
        if kind == "fact":
            name = dice.choice([*sorted(header["__metadata__"]), "unknown"])
            header["__metadata__"][name] = dice.choice(FRAGMENTS)
            text = json.dumps(header)
        else:
            text = with_fragment(header, dice)
        path.write_bytes(struct.pack("<Q", len(text.encode())) + text.encode() + data[length:])
    return kind


def hostile_net(path: Path, dice: Dice) -> str:
    """Write a file and say what is wrong with it."""
    checkpoint = random_checkpoint(4, dice.choice([1, 2]))
    write_net(path, scaled(checkpoint, dice) if dice.random() < 0.2 else checkpoint)
    values: dict[str, Any] = torch.load(path, weights_only=True)
    kind = dice.choice(["flip", "flip-head", "cut", "pickle", "pickle", "value", "tensor", "none"])
    options: dict[str, Any] = {
        "_use_new_zipfile_serialization": dice.random() < 0.5,
        "pickle_protocol": dice.choice([2, 2, 4]),
    }
    if kind == "value":
        values[dice.choice([*sorted(values), "int2char"])] = dice.choice(VALUES)
    elif kind == "tensor":
        tensors, name = values["state_dict"], dice.choice(sorted(values["state_dict"]))
        tensor = tensors[name]
        changes: list[Callable[[], Any]] = [
            *(lambda: tensor.t() if tensor.ndim == 2 else tensor, lambda: tensor[:1].expand(*tensor.shape)),
            *(
                lambda: torch._neg_view(tensor),
                lambda: tensor.double(),
                lambda: tensor.bfloat16(),
                lambda: tensor.long(),
            ),
            *(lambda: tensor[:0], lambda: tensor.reshape(-1), lambda: tensor.to("meta"), lambda: tensor.to_sparse()),
            *(lambda: torch.zeros(1).expand(1 << 20, 1 << 20), lambda: dice.choice(VALUES), lambda: tensors.pop(name)),
            *(lambda: torch.nn.Parameter(tensor), lambda: tensor.to(torch.float8_e4m3fn)),
        ]
        changed = dice.choice(changes)()
        if name in tensors:
            tensors[dice.choice([name, "embed.weight", 3, "module." + name])] = changed
    torch.save(values, path, **options)
    data = path.read_bytes()
    if kind == "pickle" and options["_use_new_zipfile_serialization"]:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w", dice.choice([zipfile.ZIP_STORED] * 4 + [zipfile.ZIP_DEFLATED])) as archive:
            for name, part in parts.items():
                archive.writestr(name, flipped(part, dice) if name.endswith("data.pkl") else part)
    elif kind == "cut":
        path.write_bytes(cut(data, dice))
    elif kind != "value" and kind != "tensor" and kind != "none":
        path.write_bytes(flipped(data, dice, 600 if kind == "flip-head" else None))
    return kind


def hostile_resume(path: Path, whole: bytes, dice: Dice) -> str:
    """Change a resume state, given as the bytes of its file."""
    values: dict[str, Any] = torch.load(io.BytesIO(whole), weights_only=True)
    kind = dice.choice(["flip", "cut", "value", "value", "tensor", "tensor"])
    if kind == "value":
        name = dice.choice(sorted(values))
        values[name] = dice.choice(VALUES)
        if dice.random() < 0.2:
            del values[name]
    elif kind == "tensor":
        parts: list[Any] = [values["model"], values["generators"], values["optimizer"], values["optimizer"]["state"]]
        part = dice.choice([*parts, *values["optimizer"]["state"].values()])
        part[dice.choice(list(part))] = dice.choice(VALUES)
        if dice.random() < 0.2:
            h, c = values["hidden"]
            values["hidden"] = dice.choice([(h,), (h, c[:1]), (h.t() if h.ndim == 2 else h[0], c), (h, c.to("meta"))])
    torch.save(values, path)
    if kind in ("flip", "cut"):
        path.write_bytes((flipped if kind == "flip" else cut)(whole, dice))
    return kind


def hostile_run(run: Path, dice: Dice) -> str:
    """Make a run's directory and say what is wrong with it."""
    shutil.rmtree(run, ignore_errors=True)
    (run / "checkpoints").mkdir(parents=True)
    events = [json.loads(to_line(event)) for event in [*ALL[:-1], *map(step_done, range(2, 9)), ALL[-1]]]
    events[0]["settings"] = TrainSettings().to_json()
    lines = [json.dumps(event) for event in events]
    kind = dice.choice(["event", "event", "event", "flip", "cut", "settings", "tag", "lock", "checkpoint", "kept"])
    if kind == "event":
        for place in dice.sample(range(len(lines)), dice.choice([1, 1, 3])):
            lines[place] = with_fragment(events[place], dice)
    data = ("\n".join(lines) + "\n").encode()
    if kind in ("flip", "cut"):
        data = (flipped if kind == "flip" else cut)(data, dice)
    (run / "events.jsonl").write_bytes(data)
    request: dict[str, Any] = {"name": run.name, "corpus": ["/nowhere/anna.txt"], "corpus_sha256": "0" * 64}
    request["settings"] = TrainSettings().to_json()
    request_text = with_fragment(request, dice) if kind == "settings" else json.dumps(request)
    (run / "settings.json").write_text(request_text)
    if kind == "lock":
        holder = dice.choice(
            [b"", b"\xff\xfe", b"9" * 5000, b"-1", b"\x1b[31m", f"{'9' * 5000} {platform.node()}".encode()]
        )
        (run / "lock").write_bytes(holder)
        (run / "lock.held").write_bytes(holder)
    tag = {"note": "the one", "pinned": True}
    (run / "tag.json").write_text(with_fragment(tag, dice) if kind == "tag" else json.dumps(tag))
    write_checkpoint(run / "last.safetensors", random_checkpoint(**FACTS))
    if kind == "checkpoint":
        hostile_safetensors(run / "best.safetensors", dice)
    if kind == "kept":
        names = ["step-00000000.safetensors", f"step-{'9' * 30}.safetensors", "step-00000007.safetensors", "step-x"]
        (run / "checkpoints" / dice.choice(names)).write_bytes(b"")
    return kind


__all__ = ["TOKENS", "Dice", "hostile_net", "hostile_resume", "hostile_run", "hostile_safetensors", "with_fragment"]

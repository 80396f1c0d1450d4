"""No reader takes more than four times its file and 64 MB, whatever the file says."""

import json
import pickle
import resource
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.run.events import AlarmRaised, StepDone, to_line
from tests.checkpoint.random_checkpoints import TOKENS, random_checkpoint

READ = """
import resource, sys
from pathlib import Path
from charrnn_tui.checkpoint.checkpoint import CheckpointError
from charrnn_tui.run.event_tail import EventTail
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.runner.find_model import open_checkpoint

assert "torch" not in sys.modules
for file in map(Path, sys.argv[1:]):
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 4 * file.stat().st_size + (64 << 20), resource.RLIM_INFINITY))
    if file.suffix == ".jsonl":
        progress = RunProgress()
        while EventTail(file).fold(progress):
            pass
        print(file.name, "folded", progress.step)
    else:
        try:
            checkpoint = open_checkpoint(file)
            print(file.name, "read", checkpoint.parameters)
            del checkpoint
        except CheckpointError as error:
            print(str(error).removeprefix(f"{file}: "))
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert "torch" not in sys.modules
"""


def read_by_another_process(*files: Path) -> list[str]:
    command = [sys.executable, "-c", READ, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux does")
assert resource.RLIMIT_AS


def notebook(path: Path, state_dict: dict[str, Any], **options: Any) -> Path:
    torch.save({"state_dict": state_dict, "tokens": TOKENS}, path, **options)
    return path


def with_pickle(path: Path, data: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/data.pkl", data)
    return path


def weights(n_hidden: int, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array).to(dtype) for name, array in random_checkpoint(n_hidden).weights.items()}


def test_large_checkpoints_are_read_within_the_limit(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "1.safetensors", random_checkpoint(1200))
    files = [tmp_path / "1.safetensors"]
    files.append(notebook(tmp_path / "2.net", weights(1200, torch.float32)))
    files.append(notebook(tmp_path / "3.net", weights(1700, torch.bfloat16)))
    files.append(notebook(tmp_path / "4.net", weights(1200, torch.float32), _use_new_zipfile_serialization=False))
    parameters = random_checkpoint(1200).parameters
    assert min(file.stat().st_size for file in files) > 60e6
    assert read_by_another_process(*files) == [
        f"1.safetensors read {parameters}",
        f"2.net read {parameters}",
        f"3.net read {random_checkpoint(1700).parameters}",
        f"4.net read {parameters}",
    ]


def test_hostile_notebook_files_are_refused_within_the_limit(tmp_path: Path) -> None:
    one, flat = torch.zeros(1), torch.zeros(100_000)
    state_dict = weights(4, torch.float32)
    files = [
        notebook(tmp_path / "stride.net", state_dict | {"fc.weight": one.expand(40_000, 40_000)}),
        notebook(tmp_path / "shared.net", {f"lstm.weight_hh_l{n}": flat.view(1000, 100) for n in range(2000)}),
        notebook(
            tmp_path / "fold.net",
            {"lstm.weight_ih_l0": torch.zeros(1000, 1), "lstm.weight_hh_l0": torch.zeros(1000, 250)}
            | {"embed.weight": torch.zeros(1_000_000, 1), "fc.weight": torch.zeros(1, 250), "fc.bias": one},
        ),
        with_pickle(tmp_path / "lists.net", b"\x80\x02" + b"]" * (3 << 20) + b"."),
        with_pickle(tmp_path / "memo.net", b"\x80\x02]r\xff\xff\xff\x7f."),
        with_pickle(tmp_path / "text.net", pickle.dumps("\N{GRINNING FACE}" + "a" * (20 << 20), 2)),
        with_pickle(tmp_path / "long.net", b"\x80\x02X\xff\xff\xff\x7fabc."),
    ]
    with zipfile.ZipFile(tmp_path / "bomb.net", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", b"]" * (500 << 20))
    with zipfile.ZipFile(tmp_path / "many.net", "w") as archive:
        for number in range(60_000):
            archive.writestr(f"m/data/{number}", b"")
    larger, long = "its tensors would be far larger than the file", "its pickle is far longer than one of weights"
    damaged = "it is a torch file that is damaged or cut off"
    expected = [
        damaged,
        larger,
        larger,
        long,
        "holds a list",
        long,
        damaged,
        "a compressed or encrypted archive",
        "too many",
    ]
    told = read_by_another_process(*files, tmp_path / "bomb.net", tmp_path / "many.net")
    assert [words in line for words, line in zip(expected, told, strict=True)] == [True] * len(expected), told


def header_only(path: Path, values: dict[str, Any]) -> Path:
    data = json.dumps(values).encode()
    path.write_bytes(struct.pack("<Q", len(data)) + data + bytes(8))
    return path


def test_hostile_safetensors_are_refused_within_the_limit(tmp_path: Path) -> None:
    known = {"format": "charrnn-tui", "format_version": "1", "tokens": json.dumps(TOKENS)}
    nothing = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    files = [
        header_only(tmp_path / "lists.safetensors", {"__metadata__": known | {"step": "[],"[:2] + ",[]" * 2_000_000}}),
        header_only(
            tmp_path / "tokens.safetensors", {"__metadata__": known | {"tokens": '["ab"' + ',"ab"' * 1_000_000}}
        ),
        header_only(tmp_path / "many.safetensors", {f"{number}": nothing for number in range(500_000)}),
    ]
    assert all("LSTM" in line or "alphabet" in line or "header" in line for line in read_by_another_process(*files))


def test_events_are_folded_within_the_limit(tmp_path: Path) -> None:
    figures = {"epoch": 1, "loss": 1.0, "grad_norm": 1.0, "lr": 0.1, "seconds": 1.0, "chars_per_second": 1.0}
    steps = [to_line(StepDone(time=1.0, step=step, train_seconds=1.0, **figures)) for step in range(1, 100_001)]
    lines = {
        "steps": "".join(steps),
        "empty": "\n" * (10 << 20),
        "short": "ab\n" * (3 << 20),
        "one": '{"event":"run_paused","time":1,"x":' + "[]," * (10 << 20) + "\n",
        "alarms": to_line(AlarmRaised(time=1.0, kind="nan", message="")) * 200_000,
    }
    for name, text in lines.items():
        (tmp_path / f"{name}.jsonl").write_text(text)
    told = read_by_another_process(*(tmp_path / f"{name}.jsonl" for name in lines))
    assert told[0] == "steps.jsonl folded 100000"
    assert np.array(["folded" in line for line in told]).all()

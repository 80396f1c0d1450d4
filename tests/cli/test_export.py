"""`charrnn-tui export`."""

from pathlib import Path

import pytest
import torch

from charrnn_tui.checkpoint.safetensors_file import read_checkpoint
from charrnn_tui.run.directory import EventWriter, RunDirectory
from tests.cli.conftest import Invoke, one_line


def notebooks_load(path: Path) -> dict[str, object]:
    """As the notebook's cell 42 does, without its trust."""
    loaded: dict[str, object] = torch.load(path, weights_only=True)
    return loaded


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_a_net_file_comes_back_from_safetensors_with_every_bit(
    invoke: Invoke, tmp_path: Path, dtype: torch.dtype
) -> None:
    lstm, fc = torch.nn.LSTM(3, 8, 2).to(dtype), torch.nn.Linear(8, 3).to(dtype)
    state = {f"lstm.{name}": tensor for name, tensor in lstm.state_dict().items()}
    state |= {f"fc.{name}": tensor for name, tensor in fc.state_dict().items()}
    there, between, back = tmp_path / "a.net", tmp_path / "b.safetensors", tmp_path / "c.net"
    torch.save({"n_hidden": 8, "n_layers": 2, "state_dict": state, "tokens": ("z", "\n", "é")}, there)
    assert invoke("export", there, between).exit_code == 0
    assert invoke("export", between, back).exit_code == 0
    loaded = notebooks_load(back)
    assert (loaded["n_hidden"], loaded["n_layers"], loaded["tokens"]) == (8, 2, ("z", "\n", "é"))
    returned = loaded["state_dict"]
    assert isinstance(returned, dict)
    assert list(returned) == list(state)
    for name, tensor in state.items():
        assert returned[name].dtype == tensor.dtype
        assert torch.equal(returned[name], tensor)


def test_facts_survive_from_safetensors_to_safetensors(invoke: Invoke, checkpoint_file: Path, tmp_path: Path) -> None:
    result = invoke("export", checkpoint_file, tmp_path / "copy.safetensors")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "parameters" in result.stderr
    copy, original = read_checkpoint(tmp_path / "copy.safetensors"), read_checkpoint(checkpoint_file)
    assert copy.facts == original.facts
    assert copy.vocabulary == original.vocabulary


def test_a_run_exports_its_best_model(invoke: Invoke, runs: Path, checkpoint_file: Path, tmp_path: Path) -> None:
    run = RunDirectory.create(runs, "happy")
    EventWriter(run.events_file).close()
    without = invoke("export", "happy-1", tmp_path / "none.net")
    assert (without.exit_code, "no checkpoint yet" in one_line(without)) == (1, True)
    run.best_file.write_bytes(checkpoint_file.read_bytes())
    assert invoke("export", "happy-1", tmp_path / "best.net").exit_code == 0
    assert notebooks_load(tmp_path / "best.net")["n_hidden"] == 16


def test_what_is_there_already_is_kept_unless_forced(invoke: Invoke, checkpoint_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    out.write_text("precious")
    refused = invoke("export", checkpoint_file, out)
    assert refused.exit_code == 1
    assert "--force" in one_line(refused)
    assert out.read_text() == "precious"
    assert invoke("export", checkpoint_file, out, "--force").exit_code == 0
    assert read_checkpoint(out).n_hidden == 16


@pytest.mark.parametrize("name", ["out.pt", "out", "out.safetensors.gz", ".net"])
def test_an_ending_that_names_no_format_is_wrong_usage(
    invoke: Invoke, checkpoint_file: Path, tmp_path: Path, name: str
) -> None:
    result = invoke("export", checkpoint_file, tmp_path / name)
    assert result.exit_code == 2
    assert all(ending in one_line(result) for ending in (".safetensors", ".net", ".onnx", ".csv", ".svg", "directory"))


def test_a_place_that_cannot_be_written_is_named_and_no_half_file_stays(
    invoke: Invoke, checkpoint_file: Path, tmp_path: Path
) -> None:
    result = invoke("export", checkpoint_file, tmp_path / "nowhere" / "out.net")
    assert result.exit_code == 1
    assert "out.net: cannot be written: No such file or directory" in one_line(result)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.safetensors"]

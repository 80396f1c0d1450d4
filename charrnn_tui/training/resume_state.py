"""The file from which an ended training continues exactly as if it had not ended."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import torch
from msgspec import Meta

from charrnn_tui.checkpoint.checkpoint import tensor_shapes
from charrnn_tui.run.decoding import Count, Seconds, convert
from charrnn_tui.run.directory import RunError
from charrnn_tui.run.files import write_atomically
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.sampling.char_model import LARGEST_WEIGHT

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class ResumeState:
    """A training between two steps.

    settings: as JSON. model, optimizer: their state_dicts. hidden: (h, c), each float32 (n_layers, batch, n_hidden),
    the start of the next window, which follows from step. generators: the state of each random generator, uint8, by
    device. Losses in nats/char. evaluated_at: step of the last validation, -1 before the first. not_improved: how many
    validations there have been since the best one. spent_seconds: by the run so far, without pauses.
    """

    settings: dict[str, Any]
    corpus_sha256: str
    device: str
    precision: str
    threads: Count
    step: Count
    loss: float
    lr_factor: Annotated[float, Meta(gt=0, le=1e9)]
    train_seconds: Seconds
    val_loss: float | None
    best_val_loss: float | None
    evaluated_at: Annotated[int, Meta(ge=-1)]
    model: Mapping[str, torch.Tensor]
    optimizer: Mapping[str, Any]
    hidden: tuple[torch.Tensor, torch.Tensor]
    generators: Mapping[str, torch.Tensor]
    not_improved: Count = 0
    spent_seconds: Seconds = 0.0


def write_resume_state(path: Path, state: ResumeState) -> None:
    """Write the file atomically. Raises OSError."""
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **{field.name: getattr(state, field.name) for field in fields(state)}}, buffer)
    write_atomically(path, buffer.getbuffer())


def read_resume_state(path: Path) -> ResumeState:
    """Read the file onto the CPU. Raises RunError, one line that begins with the path."""
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
        if values.pop("format") > FORMAT:
            raise RunError(f"{path}: was written by a newer version of this program")
        state = convert(values, ResumeState)
        _check_tensors(state, TrainSettings.from_json(state.settings))
    except FileNotFoundError:
        raise RunError(f"{path}: no such file: this run was trained without one, and cannot be resumed") from None
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}") from None
    except RunError:
        raise
    except Exception as error:  # torch raises errors of many types for a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunError(f"{path}: is not a resume file, or is damaged: {reason}") from None
    return state


def _check_tensors(state: ResumeState, settings: TrainSettings) -> None:
    """Raise an error of any type unless a training with these settings can go on with every tensor."""
    tokens, n_hidden, n_layers = len(state.model["fc.bias"]), settings.n_hidden, settings.n_layers
    _check_shapes(state.model, tensor_shapes(tokens, n_hidden, n_layers))
    _check_shapes(
        dict(zip("hc", state.hidden, strict=True)), dict.fromkeys("hc", (n_layers, settings.batch_size, n_hidden))
    )
    for place, (name, tensor) in enumerate(state.model.items()):
        if moments := state.optimizer["state"].get(place):
            found = {part: moments[part] for part in ("exp_avg", "exp_avg_sq")}
            _check_shapes(found, dict.fromkeys(found, tuple(tensor.shape)), f" of {name}")
            if not 0 <= float(moments["step"]) < 2**53:
                raise ValueError(f"the optimizer has done {float(moments['step']):g} steps")
    torch.Generator().set_state(state.generators["cpu"])


def _check_shapes(tensors: Mapping[str, torch.Tensor], shapes: Mapping[str, tuple[int, ...]], of: str = "") -> None:
    if missing := shapes.keys() ^ tensors.keys():
        raise ValueError(f"the tensor {min(missing)} is missing, or has no place in a model of its settings")
    for name, tensor in tensors.items():
        if tuple(tensor.shape) != shapes[name]:
            raise ValueError(f"{name}{of} has the shape {tuple(tensor.shape)}, expected {shapes[name]}")
        if not tensor.is_floating_point() or tensor.layout != torch.strided or tensor.device.type != "cpu":
            raise ValueError(f"{name}{of} is of type {tensor.dtype}, or stored in a way that cannot be read here")
        if tensor.untyped_storage().nbytes() < tensor.nbytes:
            raise ValueError(f"{name}{of} is larger than the file's contents")
        if not tensor.abs().max() < LARGEST_WEIGHT:
            raise ValueError(f"{name}{of} holds NaN or infinite numbers, or huge ones")


def generator_states(device: str) -> dict[str, torch.Tensor]:
    """The states of the random generators that a training on this device draws from."""
    states = {"cpu": torch.get_rng_state()}
    if device != "cpu":
        states[device] = torch.get_device_module(device).get_rng_state()
    return states


def restore_generators(states: Mapping[str, torch.Tensor], device: str) -> None:
    """Restore the generators of this device."""
    torch.set_rng_state(states["cpu"])
    if device != "cpu" and device in states:
        torch.get_device_module(device).set_rng_state(states[device])

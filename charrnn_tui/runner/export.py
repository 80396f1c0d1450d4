"""Writing models and the losses of runs as files for other programs."""

import csv
import dataclasses
import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from charrnn_tui.checkpoint.checkpoint import Checkpoint, tensor_shapes
from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.event_tail import EventTail
from charrnn_tui.run.files import write_atomically
from charrnn_tui.run.loss_table import COLUMNS, LossRow, loss_table

MOST_ONNX_BYTES: Final = 2_000_000_000  # a protobuf message holds 2 GiB
EVENT_FILES: Final = "events.out.tfevents.*"  # by this name TensorBoard finds them


class ExportError(ValueError):
    """A file cannot be written; the message is one line that begins with its path."""


def export_model(checkpoint: Checkpoint, out: Path, force: bool) -> None:
    """Write a model to `out`, whose ending is one of MODEL_ENDINGS and chooses the format.

    The weights keep every bit; in .onnx they are float32. force: overwrite it. Raises ExportError.
    """
    write = _MODEL_WRITERS.get(out.suffix)
    if write is None:
        raise ExportError(f"{out}: the ending must be one of {', '.join(MODEL_ENDINGS)}")
    refuse_existing(out, force)
    names = tensor_shapes(len(checkpoint.vocabulary), checkpoint.n_hidden, checkpoint.n_layers, checkpoint.cell)
    in_order = {name: checkpoint.weights[name] for name in names}  # of PyTorch's state_dict, whatever the file's
    with writing(out):
        write(out, dataclasses.replace(checkpoint, weights=in_order))


def export_csv(run: RunDirectory, out: Path, force: bool) -> int:
    """Write a line for each step, under the names of COLUMNS; a loss that is not finite is `nan` or `inf`.

    force: overwrite it. Returns how many steps there are. Raises ExportError.
    """
    refuse_existing(out, force)
    rows, text = _rows(run), io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows([getattr(row, name) for name in COLUMNS] for row in rows)
    with writing(out):
        write_atomically(out, text.getvalue().encode())
    return len(rows)


def export_tensorboard(run: RunDirectory, out: Path, force: bool) -> int:
    """Write an event file of TensorBoard into the directory `out`, which is made if need be.

    force: replace those that are there. Returns how many steps there are. Raises ExportError.
    """
    if any(out.glob(EVENT_FILES)):
        refuse_existing(out, force)
    rows = _rows(run)
    with writing(out):
        from tensorboardX import SummaryWriter  # an extra

        logging.getLogger("tensorboardX.x2num").setLevel(logging.ERROR)  # it warns of each loss that is not a number

        out.mkdir(exist_ok=True)
        with TemporaryDirectory(dir=out, prefix=".") as unfinished:
            with SummaryWriter(unfinished) as writer:
                for row in rows:
                    for tag, value in _scalars(row):
                        writer.add_scalar(tag, value, row.step, walltime=row.time)
            for old in out.glob(EVENT_FILES):
                old.unlink()
            for file in Path(unfinished).iterdir():
                file.replace(out / file.name)
    return len(rows)


def refuse_existing(out: Path, force: bool) -> None:
    """Raise ExportError for a file that may not be overwritten."""
    if out.exists() and not force:
        raise ExportError(f"{out}: exists already; --force overwrites it")


def _scalars(row: LossRow) -> Iterator[tuple[str, float]]:
    """Tag and value. Losses in nats/char, under one heading, so that TensorBoard draws them side by side."""
    yield "loss/train", row.loss
    if row.val_loss is not None:
        yield "loss/val", row.val_loss
    for name in ("lr", "grad_norm", "chars_per_second", "epoch"):
        yield name, getattr(row, name)


def _rows(run: RunDirectory) -> list[LossRow]:
    rows = loss_table(EventTail(run.events_file).read())
    if not rows:
        raise ExportError(f"{run.name}: no step has been trained yet")
    return rows


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Raise ExportError where a file cannot be written, or a package is missing that is an extra."""
    try:
        yield
    except OSError as error:
        raise ExportError(f"{out}: cannot be written: {error.strerror or error}") from None
    except ImportError as error:
        extra = {"onnx": "onnx", "tensorboardX": "tensorboard"}.get(error.name or "")
        if extra is None:
            raise
        way = f"pip install 'charrnn-tui[{extra}]'"
        raise ExportError(f"{out}: needs the package {error.name}, which is not installed: {way}") from None


def _write_net(out: Path, checkpoint: Checkpoint) -> None:
    from charrnn_tui.training.net_writer import write_net  # torch takes seconds, and only .net files need it

    write_net(out, checkpoint)


def _write_onnx(out: Path, checkpoint: Checkpoint) -> None:
    from charrnn_tui.checkpoint.onnx_file import onnx_model  # which only .onnx files need

    if checkpoint.cell != "lstm":
        raise ExportError(f"{out}: this model is a {checkpoint.cell.upper()}; an ONNX file is written of an LSTM only")
    if 4 * checkpoint.parameters >= MOST_ONNX_BYTES:
        raise ExportError(
            f"{out}: this model has {checkpoint.parameters:,} parameters; an ONNX file holds 2 GB at most"
        )
    write_atomically(out, onnx_model(checkpoint))


_MODEL_WRITERS: Final[dict[str, Callable[[Path, Checkpoint], None]]] = {
    ".safetensors": write_checkpoint,
    ".net": _write_net,
    ".onnx": _write_onnx,
}
MODEL_ENDINGS: Final = tuple(_MODEL_WRITERS)

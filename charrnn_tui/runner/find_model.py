"""From what a user names to a checkpoint: a file of either format, or a run by its name or directory."""

from pathlib import Path

from charrnn_tui.checkpoint.checkpoint import Checkpoint, CheckpointError
from charrnn_tui.checkpoint.safetensors_file import looks_like_safetensors, read_checkpoint
from charrnn_tui.run.directory import RunDirectory, find_run, list_runs
from charrnn_tui.sampling.lstm import CharLSTM

SHIPPED = "anna.safetensors"


def locate_checkpoint(reference: str | Path, runs: Path) -> Path:
    """The checkpoint file that is meant: the file itself, or a run's best one. Raises CheckpointError."""
    path = Path(reference)
    run = find_run(runs, str(reference))
    if run is not None:
        file = run.checkpoint_file()
        if file is None:
            raise CheckpointError(f"{run.name}: this run has saved no checkpoint yet")
        return file
    if path.is_dir():
        raise CheckpointError(f"{path}: is a directory, but not of a run (it has no events.jsonl)")
    if not path.exists():
        raise CheckpointError(f"{reference}: no such file, and no run of this name in {runs}")
    if not path.is_file():
        raise CheckpointError(f"{path}: is a pipe or a device, and no checkpoint")
    return path


def open_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint of either format. Raises CheckpointError, one line that begins with the path."""
    head = _first_bytes(path)
    if looks_like_safetensors(head) or path.suffix == ".safetensors":
        return read_checkpoint(path)
    if not is_torch_file(head):
        kind = "empty" if not head else "neither a safetensors nor a torch file"
        raise CheckpointError(f"{path}: is not a checkpoint: the file is {kind}")
    from charrnn_tui.training.net_file import read_net  # torch takes seconds, and only .net files need it

    return read_net(path)


def open_model(path: Path) -> tuple[Checkpoint, CharLSTM]:
    """A checkpoint and its network, ready to write and to score. Raises CheckpointError."""
    checkpoint = open_checkpoint(path)
    try:
        return checkpoint, CharLSTM(checkpoint)
    except ValueError as error:  # weights that are not finite: the network refuses a model that diverged
        raise CheckpointError(f"{path}: {error}") from None


def find_run_or_fail(reference: str, runs: Path) -> RunDirectory:
    """The run that is meant. Raises CheckpointError that says what there is."""
    run = find_run(runs, reference)
    if run is None:
        names = ", ".join(found.name for found in list_runs(runs)[:8])
        raise CheckpointError(f"{reference}: no such run in {runs}" + (f"; there are {names}" if names else ""))
    return run


def is_checkpoint_file(path: Path) -> bool:
    """Whether a file is meant to be a checkpoint, by its ending or its first bytes."""
    if path.suffix in (".safetensors", ".net"):
        return True
    try:
        head = _first_bytes(path)
    except CheckpointError:
        return False
    return looks_like_safetensors(head) or is_torch_file(head)


def shipped_checkpoint() -> Path | None:
    """The model that comes with the program: beside the package in a clone, inside it where installed."""
    package = Path(__file__).resolve().parent.parent
    candidates = (package / "checkpoints" / SHIPPED, package.parent / "checkpoints" / SHIPPED)
    return next((path for path in candidates if path.is_file()), None)


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from None


def is_torch_file(head: bytes) -> bool:
    """Whether a file that begins so was written by torch.save: a zip archive, or the pickle of older versions."""
    return head.startswith((b"PK\x03\x04", b"\x80\x02"))

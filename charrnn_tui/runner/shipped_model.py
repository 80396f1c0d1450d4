"""Which checkpoint is meant where none is named, and what is one; without NumPy, which the first frame does without."""

from pathlib import Path

from charrnn_tui.run.directory import list_runs

SHIPPED = "anna.safetensors"


def is_torch_file(head: bytes) -> bool:
    """Whether a file that begins so was written by torch.save: a zip archive, or the pickle of older versions."""
    return head.startswith((b"PK\x03\x04", b"\x80\x02"))


def is_checkpoint_file(path: Path) -> bool:
    """Whether a file is meant to be a checkpoint, by its ending or its first bytes."""
    if path.suffix in (".safetensors", ".net"):
        return True
    from charrnn_tui.checkpoint.safetensors_file import looks_like_safetensors  # NumPy: seldom needed

    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return False
    return looks_like_safetensors(head) or is_torch_file(head)


def shipped_checkpoint() -> Path | None:
    """The model that comes with the program: beside the package in a clone, inside it where installed."""
    package = Path(__file__).resolve().parent.parent
    candidates = (package / "checkpoints" / SHIPPED, package.parent / "checkpoints" / SHIPPED)
    return next((path for path in candidates if path.is_file()), None)


def newest_checkpoint(runs: Path) -> Path | None:
    """The best checkpoint of the run written to last, or else the shipped one."""
    own = (run.checkpoint_file() for run in list_runs(runs))
    return next((file for file in own if file is not None), shipped_checkpoint())

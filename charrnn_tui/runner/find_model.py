"""Finding and opening the model that a user names: a checkpoint of either format, or a run."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path

from charrnn_tui.checkpoint.checkpoint import Checkpoint, CheckpointError
from charrnn_tui.checkpoint.net_file import HAS_TOKENS, read_net
from charrnn_tui.checkpoint.safetensors_file import looks_like_safetensors, read_checkpoint
from charrnn_tui.playground.session import DIRECTORY as SESSIONS
from charrnn_tui.playground.session import SessionError, list_sessions, read_session
from charrnn_tui.run.directory import RunDirectory, find_run, list_runs, unreadable_runs
from charrnn_tui.run.event_tail import EventTail
from charrnn_tui.run.events import RunFinished, RunStarted
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.text.text_file import BINARY_PROBE_BYTES

SHIPPED = ("anna", "python", "names")  # the one to open where none is named comes first
HARDLY_BEGUN = 0.25  # share of the planned steps; a model with fewer is opened only by name
_TAIL_BYTES = 1 << 16  # of a file of events: some hundred of them


def locate_checkpoint(reference: str | Path, runs: Path) -> Path:
    """The checkpoint file that is meant: the file itself, a run's best one, or a shipped model by its short name.

    Raises CheckpointError.
    """
    path = Path(reference)
    run = find_run(runs, str(reference))
    if run is not None:
        file = run.checkpoint_file()
        if file is None:
            raise CheckpointError(f"{run.name}: this run has saved no checkpoint yet")
        return file
    _refuse_unreadable(str(reference), runs)
    shipped = next((file for file in shipped_checkpoints() if file.stem == str(reference)), None)
    if shipped is not None and not path.is_file():
        return shipped
    if path.is_dir():
        raise CheckpointError(f"{path}: is a directory, but not of a run; charrnn-tui train {path} trains on its texts")
    if not path.exists():
        raise CheckpointError(f"{reference}: no such file, and no run of this name in {runs}")
    if not path.is_file():
        raise CheckpointError(f"{path}: is a pipe or a device, and no checkpoint")
    return path


def checkpoint_format(path: Path) -> str | None:
    """`safetensors` or `net`, by the first bytes of the file or its ending; None for a file of another kind.

    Raises CheckpointError where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from None
    if looks_like_safetensors(head):
        return "safetensors"
    if head.startswith((b"PK\x03\x04", b"\x80\x02")):  # torch.save writes a zip archive, or a pickle in older versions
        return "net"
    return {".safetensors": "safetensors", ".net": "net"}.get(path.suffix)


def open_checkpoint(path: Path, tokens: Sequence[str] | None = None) -> Checkpoint:
    """Read a checkpoint of either format. Raises CheckpointError, one line that begins with the path.

    tokens: the alphabet of a torch file that has none.
    """
    match checkpoint_format(path):
        case "safetensors" if tokens is not None:
            raise CheckpointError(f"{path}: {HAS_TOKENS}")
        case "safetensors":
            return read_checkpoint(path)
        case "net":
            return read_net(path, tokens)
    with path.open("rb") as file:
        head = file.read(BINARY_PROBE_BYTES)
    kind = "neither a safetensors nor a torch file" if head else "empty"
    way = f"; if it is a text, charrnn-tui train {path} trains on it" if head and b"\0" not in head else ""
    raise CheckpointError(f"{path}: is not a checkpoint: the file is {kind}{way}")


def open_model(path: Path, tokens: Sequence[str] | None = None) -> tuple[Checkpoint, CharModel]:
    """A checkpoint, as `open_checkpoint` gives it, and its network, ready to write. Raises CheckpointError."""
    checkpoint = open_checkpoint(path, tokens)
    try:
        return checkpoint, CharModel(checkpoint)
    except ValueError as error:  # weights that are not finite: the network refuses a model that diverged
        raise CheckpointError(f"{path}: {error}") from None


def default_model(runs: Path) -> tuple[Path | None, Path | None]:
    """The checkpoint to use if none is named, and the playground's session that it belongs to.

    That of the last session, unless a training has ended since; or else the newest model whose training has ended and
    had done at least HARDLY_BEGUN of its steps; or else the shipped model.
    """
    trained = next((file for run in list_runs(runs) if (file := run.checkpoint_file()) and _is_trained(run)), None)
    session = next(iter(list_sessions(runs / SESSIONS)), None)
    if session is not None and (trained is None or trained.stat().st_mtime <= session.stat().st_mtime):
        return _model_of(session) or trained or shipped_checkpoint(), session
    return trained or shipped_checkpoint(), None


def _is_trained(run: RunDirectory) -> bool:
    """Whether its training has ended, not soon after its start; by two events, since reading all may take seconds."""
    tail = run.events_file.stat().st_size - _TAIL_BYTES
    started = next(EventTail(run.events_file).read(_TAIL_BYTES), None)
    last = next(iter(deque(EventTail(run.events_file, max(0, tail)).read(), maxlen=1)), None)
    if not isinstance(started, RunStarted) or last is None:
        return False
    asked = started.steps if started.settings.get("budget") else started.epochs * started.steps_per_epoch
    hardly_begun = last.step < HARDLY_BEGUN * asked
    return not hardly_begun and (isinstance(last, RunFinished) or run.trainer() is None)


def _model_of(session: Path) -> Path | None:
    try:
        found = read_session(session)
    except SessionError:
        return None
    file = Path(found.branches[found.current].steps.checkpoint)
    return file if file.is_file() else None


def _refuse_unreadable(name: str, runs: Path) -> None:
    owner = unreadable_runs(runs).get(name)
    if owner is not None:
        raise CheckpointError(f"{name}: this run belongs to {owner}, and may not be read by you")


def find_run_or_fail(reference: str, runs: Path) -> RunDirectory:
    """The run that is meant. Raises CheckpointError that says what there is."""
    run = find_run(runs, reference)
    if run is None:
        _refuse_unreadable(reference, runs)
        names = ", ".join(found.name for found in list_runs(runs)[:8])
        raise CheckpointError(f"{reference}: no such run in {runs}" + (f"; there are {names}" if names else ""))
    return run


def shipped_checkpoints() -> list[Path]:
    """The models that come with the program: beside the package in a clone, inside it where installed."""
    package = Path(__file__).resolve().parent.parent
    folders = package / "checkpoints", package.parent / "checkpoints"
    files = ([folder / f"{name}.safetensors" for folder in folders] for name in SHIPPED)
    return [found for places in files if (found := next(filter(Path.is_file, places), None))]


def shipped_checkpoint() -> Path | None:
    """The one of them to open where no model is named."""
    return next(iter(shipped_checkpoints()), None)

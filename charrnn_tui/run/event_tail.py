"""Reading a growing file of events: one by one, or a long history at once."""

import json
import re
from array import array
from collections.abc import Iterator
from operator import lt
from pathlib import Path

from charrnn_tui.run.events import Event, StepDone, from_json
from charrnn_tui.run.progress import RunProgress

_NUMBER = rb"-?(?:0|[1-9]\d*+)(?:\.\d++)?+(?:e[-+]?\d++)?+"  # possessive: twice as fast


def _step_line(step: bytes, loss: bytes) -> bytes:
    """The pattern of a step as `to_line` writes it."""
    line = (
        rb'\{"event": "step_done", "time": N, "step": STEP, "epoch": (?:0|[1-9]\d*), "loss": LOSS, "grad_norm": N, '
        rb'"lr": N, "seconds": N, "chars_per_second": N, "train_seconds": N, "eta_seconds": N\}\n'
    )
    return line.replace(b"STEP", step).replace(b"LOSS", loss).replace(b"N", _NUMBER)


# Nine lines of ten are steps, and taking two numbers out of one costs an eighth of reading it as JSON: a million are
# there within two seconds. Whatever looks different, such as a loss that is not a number, goes the long way.
_STEP = re.compile(_step_line(rb"(0|[1-9]\d{0,17})", rb"(N)"))
_STEPS = re.compile(rb"(?m:^)(?:" + _step_line(rb"(?:0|[1-9]\d{0,17})", b"N") + rb")+")
EVERYTHING = 1 << 40  # bytes


class EventTail:
    """Each call goes on where the last one ended; unreadable lines are passed over, a torn one waits for its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._more = False  # whether the last look took all that it might

    def read(self, most: int = EVERYTHING) -> Iterator[Event]:
        """The new events, in at most so many bytes."""
        yield from _events(self._lines(most))

    def fold(self, progress: RunProgress, most: int = EVERYTHING) -> bool:
        """Add the new events to a progress; gives whether there may be more of them than `most` bytes hold.

        The progress is then as if they had been read and added one by one.
        """
        data = self._lines(most)
        start = 0
        for found in _STEPS.finditer(data):
            progress.add_all(_events(data[start : found.start()]))
            _fold_steps(found[0], progress)
            start = found.end()
        progress.add_all(_events(data[start:]))
        return self._more

    def _lines(self, most: int) -> bytes:
        """The new lines that are whole."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(most) if most < EVERYTHING else file.read()
                full = len(data) == most
                if b"\n" not in data:
                    data += file.readline()  # one line longer than that
        except OSError:
            return b""
        whole = data.rfind(b"\n") + 1
        self._offset += whole
        self._more = full and whole > 0
        return data[:whole]


def _events(lines: bytes) -> Iterator[Event]:
    for line in lines.splitlines():
        try:
            values = json.loads(line)
        except ValueError:
            continue
        event = from_json(values) if isinstance(values, dict) else None
        if event is not None:
            yield event


def _fold_steps(lines: bytes, progress: RunProgress) -> None:
    """Steps and losses of all, the last one whole."""
    found = _STEP.findall(lines)
    last = next(_events(lines[lines.rfind(b"\n", 0, -1) + 1 :]), None)
    try:
        steps, losses = array("q", [int(step) for step, _ in found]), array("d", [float(loss) for _, loss in found])
    except ValueError:  # numbers such as 1.2.3: a damaged file
        last = None
    if isinstance(last, StepDone) and all(map(lt, steps, steps[1:])):
        progress.add_steps(steps, losses, last)
    else:
        progress.add_all(_events(lines))

"""Reading a file of events that grows."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

from charrnn_tui.run.events import Event, from_line
from charrnn_tui.run.progress import RunProgress


class EventTail:
    """Each call continues where the last one ended; unreadable lines are skipped, a torn one is read when whole."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path, self._offset = path, offset
        self._more = False  # whether the last read was as long as it might be

    def read(self, most: int = -1) -> Iterator[Event]:
        """The new events, in at most so many bytes; -1: all."""
        for line in BytesIO(self._lines(most)):
            event = from_line(line)
            if event is not None:
                yield event

    def fold(
        self, progress: RunProgress, most: int = -1, on_event: Callable[[Event, RunProgress], None] | None = None
    ) -> bool:
        """Add the new events to a progress; returns whether there may be more of them than `most` bytes hold.

        on_event: called with each event once the progress holds it.
        """
        for event in self.read(most):
            progress.add(event)
            if on_event is not None:
                on_event(event, progress)
        return self._more

    def _lines(self, most: int) -> bytes:
        """The new lines that are whole."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(most)
                full = len(data) == most
                if b"\n" not in data:
                    data += file.readline()  # one line longer than that
        except OSError:
            return b""
        whole = data.rfind(b"\n") + 1
        self._offset += whole
        self._more = full and whole > 0
        return data[:whole]

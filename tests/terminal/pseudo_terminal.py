"""A program in a pseudo-terminal, and the screen that a person in front of it would see."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence

import pyte

PATIENCE_SECONDS = 60.0  # a busy machine takes its time; a test that needs so long has failed
F5 = "\x1b[15~"


class PseudoTerminal:
    """Starts a program, types keys, waits for what the screen shows."""

    def __init__(self, argv: Sequence[str], columns: int, rows: int, environment: Mapping[str, str]) -> None:
        self.received = bytearray()
        self.exit_code: int | None = None
        self._fed = 0
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(argv[0], list(argv), dict(environment))
        self.resize(columns, rows)

    def __enter__(self) -> "PseudoTerminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.hang_up()

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does; twice is once."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def lines(self) -> list[str]:
        """The screen as it is now."""
        self._stream.feed(bytes(self.received[self._fed :]))
        self._fed = len(self.received)
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def type(self, *keys: str, seconds: float = 0.05) -> None:
        """Press keys one by one, reading for so long what the program answers, so that neither side blocks."""
        for key in keys:
            os.write(self._fd, key.encode())
            self._read(seconds)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait_for(self, condition: str | Callable[[str], bool]) -> str:
        """Read until the screen shows the words, or the condition holds for it; gives the screen."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            screen = self.text
            if condition in screen if isinstance(condition, str) else condition(screen):
                return screen
            if not self._read(0.1) and self.ended():
                break
        raise AssertionError(f"never shown: {condition}\nexit code {self.exit_code}\n{self.text}")

    def wait_for_end(self) -> int:
        """Read until the program has ended; gives its exit code, negative for a signal."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            self._read(0.1)
            if self.ended() and self.exit_code is not None:
                return self.exit_code
        raise AssertionError(f"still running\n{self.text}")

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def ended(self) -> bool:
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is not None

    def _read(self, seconds: float) -> bool:
        """Take in what comes within so many seconds; whether anything came."""
        if self._fd < 0:
            time.sleep(seconds)
            return False
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # the program's side is closed
            time.sleep(seconds)  # nothing to read any more, so nothing else paces the waiting loops
            return False
        self.received += data
        return bool(data)

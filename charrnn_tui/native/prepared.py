"""A library of ours that nobody waits for: until it is there, and where there is none, NumPy does the work."""

import ctypes
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from charrnn_tui.native.library import Library, cached


class Prepared:
    """A source's library: from the cache at once, or compiled beside what else goes on."""

    library: ctypes.CDLL | None = None

    def __init__(
        self, source: Path, check: Path, declare: Callable[[ctypes.CDLL], None], options: Sequence[str] = ()
    ) -> None:
        """check, options: as `compiler.compiled` takes them. declare: says what its functions take and give."""
        self._source, self._check, self._options = source, check, options
        self._declare = declare
        self._lock = threading.Lock()
        self._begun = False
        self._compiling: threading.Thread | None = None

    def begin(self) -> None:
        """See to it that the library is there, soon; the first call of the process does it."""
        with self._lock:
            if self._begun:
                return
            self._begun = True
            found = cached(self._source)
            if found is not None:
                self.take(found)
                return
            self._compiling = threading.Thread(target=self._compile, name="compile")
            self._compiling.start()

    def wait(self) -> bool:
        """Until it is known whether there is a library, which takes seconds once on a machine; whether there is."""
        self.begin()
        if self._compiling is not None:
            self._compiling.join()
        return self.library is not None

    def take(self, found: Library) -> None:
        """Use this library from now on."""
        if found.library is not None:
            self._declare(found.library)
            self.library = found.library

    def _compile(self) -> None:
        from charrnn_tui.native.compiler import compiled  # only once on a machine

        self.take(compiled(self._source, self._check, self._options))

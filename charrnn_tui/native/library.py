"""Compiles our C sources to shared libraries if a C compiler is found; everything works without one, but slower.

A source is compiled once for this processor, into the user's cache. Before a library is stored there, another process
checks that it computes what NumPy computes, so that a bad instruction ends that process only.
"""

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

SWITCH = "CHARRNN_TUI_COMPILE"  # 0 in the environment: use no compiled code
_FLAGS = ("-O3", "-fPIC", "-shared", "-pthread", "-fno-math-errno", "-fno-trapping-math")
_NATIVE = (("-march=native", "-mprefer-vector-width=512"), ("-march=native",), ())
_PROJECT = str(Path(__file__).resolve().parents[2])
_COMPILE_SECONDS, _CHECK_SECONDS = 60, 30


@dataclass(frozen=True)
class Library:
    """A loaded library, or None; the description says which compiler made it or why there is none."""

    library: ctypes.CDLL | None
    description: str


def load_library(source: Path, check: Path, options: Sequence[str] = ()) -> Library:
    """Load a source's library from the cache, or compile it first, which takes seconds.

    check: a script that is given the library's path and exits with 0 where it computes what NumPy computes.
    options: of the compiler, for a library that is better with them and works without.
    """
    if os.environ.get(SWITCH) == "0":
        return Library(None, f"ours are off by {SWITCH}=0")
    command = shlex.split(os.environ.get("CC", "")) or ["cc"]
    compiler = shutil.which(command[0])
    try:
        cached = _load_cached(source)
        if cached is not None:
            return Library(cached, f"compiled by {compiler or 'an earlier run'}")
        if compiler is None:
            return Library(None, "no C compiler found")
        path = _compile([compiler, *command[1:]], source, check, options)
        if path is None:
            return Library(None, f"{compiler} made no library that works")
        return Library(ctypes.CDLL(str(path)), f"compiled by {compiler}")
    except (OSError, subprocess.SubprocessError) as error:
        return Library(None, f"ours were not compiled: {error}")


class BackgroundLibrary:
    """A library that is loaded in the background: `library` is None until then, and without a compiler."""

    library: ctypes.CDLL | None = None

    def __init__(
        self, source: Path, check: Path, declare: Callable[[ctypes.CDLL], None], options: Sequence[str] = ()
    ) -> None:
        """check, options: as `load_library` takes them. declare: sets the types of the library's functions."""
        self._source, self._check, self._options = source, check, options
        self._declare = declare
        self._lock = threading.Lock()
        self._compiling: threading.Thread | None = None

    def begin(self) -> None:
        """Load it from the cache now, or compile it in a thread; the first call of the process does it."""
        with self._lock:
            if self._compiling is not None or self.library is not None:
                return
            cached = None if os.environ.get(SWITCH) == "0" else _load_cached(self._source)
            if cached is not None:
                self.use(cached)
                return
            self._compiling = threading.Thread(target=self._load, name="compile")
            self._compiling.start()

    def wait(self) -> bool:
        """Wait, seconds once on a machine, until it is known whether there is a library. Returns whether there is."""
        self.begin()
        if self._compiling is not None:
            self._compiling.join()
        return self.library is not None

    def use(self, library: ctypes.CDLL) -> None:
        """Compute with this library from now on."""
        self._declare(library)
        self.library = library

    def _load(self) -> None:
        found = load_library(self._source, self._check, self._options).library
        if found is not None:
            self.use(found)


def _load_cached(source: Path) -> ctypes.CDLL | None:
    """The library in the cache; None if it is missing or damaged."""
    try:
        return ctypes.CDLL(str(_cache_path(source)))
    except OSError:
        return None


def _cache_path(source: Path) -> Path:
    import platformdirs  # not needed for a small network, which uses no library

    return Path(platformdirs.user_cache_dir("charrnn-tui")) / "compiled" / f"{source.stem}-{_fingerprint(source)}.so"


def _fingerprint(source: Path) -> str:
    """A hash of the source and the processor: machines that share a cache may have different processors."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))})
    except OSError:
        processor = [platform.processor()]
    facts = [platform.system(), platform.machine(), str(sys.maxsize), *processor, os.environ.get("CC", "")]
    return hashlib.sha256("\n".join(facts).encode() + source.read_bytes()).hexdigest()[:16]


def _compile(compiler: list[str], source: Path, check: Path, options: Sequence[str]) -> Path | None:
    """Try the flags in turn, the fastest code first; the first library that passes its check goes into the cache."""
    path = _cache_path(source)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        candidate = Path(scratch) / path.name
        for flags in dict.fromkeys([*((*native, *options) for native in _NATIVE), *_NATIVE]):
            command = [*compiler, *_FLAGS, *flags, str(source), "-o", str(candidate)]
            done = subprocess.run(command, capture_output=True, timeout=_COMPILE_SECONDS, check=False)
            if done.returncode == 0 and _passes(check, candidate):
                candidate.replace(path)
                return path
    return None


def _passes(check: Path, library: Path) -> bool:
    """Run the check in a process of its own, which an illegal instruction may kill."""
    places = [_PROJECT, *filter(None, [os.environ.get("PYTHONPATH")])]  # we may not be installed
    environment = os.environ | {SWITCH: "0", "PYTHONPATH": os.pathsep.join(places)}  # it compiles nothing itself
    command = [sys.executable, str(check), str(library)]
    done = subprocess.run(command, capture_output=True, timeout=_CHECK_SECONDS, check=False, env=environment)
    return done.returncode == 0

"""Our C sources made into libraries, where a C compiler is found.

A source is compiled once, for this processor, into the user's cache. A library gets there only after a process of its
own has run it and agreed with NumPy: whatever is wrong with compiler, flags or cache ends there.
"""

import ctypes
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from charrnn_tui.native.library import SWITCH, Library, cached, path_of

_FLAGS = ("-O3", "-fPIC", "-shared", "-pthread", "-fno-math-errno", "-fno-trapping-math")
_NATIVE = (("-march=native", "-mprefer-vector-width=512"), ("-march=native",), ())
_PROJECT = str(Path(__file__).resolve().parents[2])
_COMPILE_SECONDS, _CHECK_SECONDS = 60, 30


def compiled(source: Path, check: Path, options: Sequence[str] = ()) -> Library:
    """The source as a library, from the cache or compiled now, which takes seconds.

    check: a script that is given the library's path, and exits with 0 where it computes what NumPy computes. options:
    of the compiler, for a library that is better with them and works without.
    """
    if os.environ.get(SWITCH) == "0":
        return Library(None, f"ours are off by {SWITCH}=0")
    command = shlex.split(os.environ.get("CC", "")) or ["cc"]
    compiler = shutil.which(command[0])
    try:
        found = cached(source)
        if found is not None:
            return Library(found.library, f"compiled by {compiler or 'an earlier run'}")
        if compiler is None:
            return Library(None, "no C compiler found")
        path = _made([compiler, *command[1:]], source, check, options)
        if path is None:
            return Library(None, f"{compiler} made no library that works")
        return Library(ctypes.CDLL(str(path)), f"compiled by {compiler}")
    except (OSError, subprocess.SubprocessError) as error:
        return Library(None, f"ours were not compiled: {error}")


def _made(compiler: list[str], source: Path, check: Path, options: Sequence[str]) -> Path | None:
    path = path_of(source)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        candidate = Path(scratch) / path.name
        for extra in dict.fromkeys([*((*native, *options) for native in _NATIVE), *_NATIVE]):
            command = [*compiler, *_FLAGS, *extra, str(source), "-o", str(candidate)]
            done = subprocess.run(command, capture_output=True, timeout=_COMPILE_SECONDS, check=False)
            if done.returncode == 0 and _passes(check, candidate):
                candidate.replace(path)
                return path
    return None


def _passes(check: Path, library: Path) -> bool:
    command = [sys.executable, str(check), str(library)]
    places = [_PROJECT, *filter(None, [os.environ.get("PYTHONPATH")])]  # else it finds us only where we are installed
    alone = os.environ | {SWITCH: "0", "PYTHONPATH": os.pathsep.join(places)}  # it compiles nothing itself
    done = subprocess.run(command, capture_output=True, timeout=_CHECK_SECONDS, check=False, env=alone)
    return done.returncode == 0

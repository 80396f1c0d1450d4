"""Programs in a pseudo-terminal, through the probe that lies beside the repository."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.measuring import ROOT, SHARED

PROBE = SHARED / "tools" / "pty_probe.py"
REFERENCE = SHARED / "tools" / "reference_app.py"
PROGRAM = [sys.executable, "-m", "charrnn_tui"]


def probe(verb: str, options: list[str], program: list[str], **environment: str) -> dict[str, Any]:
    """What the probe's verb says of a program, run in the repository's root."""
    given = [part for name, value in environment.items() for part in ("--env", f"{name}={value}")]
    command = [sys.executable, str(PROBE), verb, *options, *given, "--", *program]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def terminal(program: list[str], **environment: str) -> Any:
    """A program in a terminal of 100 × 30: `read(seconds, until)`, `type(keys)`, `pid`, `alive()`, `end()`."""
    spec = importlib.util.spec_from_file_location("pty_probe", PROBE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Terminal(program, 100, 30, environment)


def resident_bytes(pid: int) -> int:
    """What a process has in memory now. Linux only."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))

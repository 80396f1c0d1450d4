"""Figures taken in turn: ours, the yardstick's, ours again, so that a busy minute hits both."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"  # the notebook, its text and the terminal probe, where they lie beside the repository


@dataclass(frozen=True)
class Row:
    """One line of the table. ours, theirs: a figure a round, in `unit`; theirs is empty where nothing is compared.

    yardstick: what `theirs` is. goal: what is to be reached, in words. A time or a size has higher_is_better=False.
    """

    what: str
    unit: str
    ours: Sequence[float]
    theirs: Sequence[float] = ()
    yardstick: str = ""
    goal: str = ""
    higher_is_better: bool = True
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        """ours / theirs of each round: neighbours in time."""
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=False)]

    def as_json(self) -> dict[str, Any]:
        """The figures and their summaries."""
        return {
            "what": self.what,
            "unit": self.unit,
            "higher_is_better": self.higher_is_better,
            "ours": summary(self.ours),
            "yardstick": self.yardstick or None,
            "theirs": summary(self.theirs),
            "ratio": summary(self.ratios),
            "goal": self.goal or None,
            "note": self.note or None,
        }


def summary(figures: Sequence[float]) -> dict[str, Any] | None:
    """Median and spread of some figures, and themselves."""
    if not figures:
        return None
    values = [float(f"{figure:.5g}") for figure in figures]
    return {"median": statistics.median(values), "least": min(values), "most": max(values), "all": values}


def in_turn(rounds: int, *contenders: Callable[[], float], warm_up: bool = True) -> list[list[float]]:
    """So many figures of each contender, one of each a round; a first call of each, to warm up, does not count."""
    if warm_up:
        for contender in contenders:
            contender()
    figures: list[list[float]] = [[] for _ in contenders]
    for _ in range(rounds):
        for contender, own in zip(contenders, figures, strict=True):
            own.append(contender())
    return figures


def in_a_process(code: str, *arguments: str, **environment: str) -> dict[str, Any]:
    """Run Python code in a process of its own: what its last line of output says, as JSON, and `peak_bytes`.

    That is the process's largest resident size. Its standard error is ours.
    """
    done = subprocess.run(
        [sys.executable, "-c", code + _PEAK, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    said, peak = ["{}", *done.stdout.splitlines()][-2:]
    result: dict[str, Any] = json.loads(said)
    return result | json.loads(peak)


class GpuUse:
    """How much of the time some kernel ran on the GPU, while this is entered: `shares`, in %, ten a second.

    That is what nvidia-smi calls utilisation; empty where there is no nvidia-smi.
    """

    def __enter__(self) -> Self:
        self._teller: subprocess.Popen[str] | None = None
        self.shares: list[float] = []
        if shutil.which("nvidia-smi"):
            query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--loop-ms=100"]
            self._teller = subprocess.Popen(query, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._teller is not None:
            self._teller.terminate()
            said = self._teller.communicate()[0].splitlines()
            self.shares = [float(line) for line in said if line.strip().isdecimal()]


# VmHWM where there is a /proc: ru_maxrss would count what the parent had in memory when it forked.
_PEAK = """
import json, pathlib, resource
status = pathlib.Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
peak = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
print(json.dumps({"peak_bytes": 1024 * (peak or [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss])[0]}))
"""

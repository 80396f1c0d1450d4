"""How soon something is there: the first frame beside the smallest Textual app's, `--help`, and what playing holds."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import ROOT, Row, in_turn
from benchmarks.terminal import PROBE, PROGRAM, REFERENCE, probe, resident_bytes, terminal

TITLE = "Starting"
ROUNDS = 7


def measure(scratch: Path) -> Iterator[Row]:
    """The app's rows need the probe; without it there is only `--help`."""

    def help_text() -> float:
        started = time.perf_counter()
        subprocess.run([*PROGRAM, "--help"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - started

    yield Row("`--help`", "s", *in_turn(ROUNDS, help_text), goal="≤ 0.25 s", higher_is_better=False)
    if not PROBE.is_file():
        print("  no probe beside the repository: the app's rows are left out")
        return
    runs = str(scratch / "runs")

    def first_frame(program: list[str]) -> float:
        said = probe("first-frame", ["--runs", "1"], program, CHARRNN_TUI_RUNS=runs)
        return float(said["first_frame_seconds"])

    reference = [PROGRAM[0], str(REFERENCE)]
    figures = in_turn(ROUNDS, lambda: first_frame(PROGRAM), lambda: first_frame(reference))
    name = "the smallest Textual app"
    yield Row("first frame: that it opens", "s", *figures, name, "≤ 1.5×", higher_is_better=False)
    playing = terminal(PROGRAM, CHARRNN_TUI_RUNS=runs)
    playing.read(8)
    megabytes = resident_bytes(playing.pid) / 1e6
    playing.end()
    yield Row("playground after 8 s of writing", "MB", [megabytes], goal="≤ 120 MB", higher_is_better=False)

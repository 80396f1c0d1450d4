"""How soon something is there: the first frame beside the smallest Textual app's, `--help`, and what playing holds.

Two frames: the opening line, which is painted before Textual is imported, and the playground's own panes. The program's
modules are compiled first, as pip compiles them.
"""

import compileall
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
    compileall.compile_dir(ROOT / "charrnn_tui", quiet=1)

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

    def shown(program: list[str], words: bytes) -> float:
        """Seconds from exec until these words are on the screen."""
        screen = terminal(program, CHARRNN_TUI_RUNS=runs)
        screen.read(30, lambda received: words in received)
        seconds = time.perf_counter() - screen.started
        screen.end()
        if words not in screen.received:
            raise RuntimeError(f"{program} never showed {words!r}")
        return float(seconds)

    reference = [PROGRAM[0], str(REFERENCE)]
    name = "the smallest Textual app"
    figures = in_turn(ROUNDS, lambda: first_frame(PROGRAM), lambda: first_frame(reference))
    yield Row("first frame: that it opens", "s", *figures, name, "≤ 1.5×", higher_is_better=False)
    figures = in_turn(ROUNDS, lambda: shown(PROGRAM, b"temperature"), lambda: shown(reference, b"quick brown fox"))
    yield Row("first frame: the playground's panes", "s", *figures, name, "≤ 2×", higher_is_better=False)
    figures = in_turn(ROUNDS, lambda: shown(PROGRAM, b"chars/s"))
    yield Row("playground: its first words", "s", *figures, higher_is_better=False)
    playing = terminal(PROGRAM, CHARRNN_TUI_RUNS=runs)
    playing.read(8)
    megabytes = resident_bytes(playing.pid) / 1e6
    playing.end()
    yield Row("playground after 8 s of writing", "MB", [megabytes], goal="≤ 120 MB", higher_is_better=False)

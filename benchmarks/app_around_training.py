"""What the app costs the training that it shows, and how soon it answers a key meanwhile."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import ROOT, Row, in_turn
from benchmarks.terminal import PROBE, PROGRAM, probe, terminal
from benchmarks.yardstick import text_file

TITLE = "The app around a training"
ROUNDS, STEPS, SKIPPED = 7, 100, 5
SIZES = [
    "--preset",
    "notebook",
    "--n-hidden",
    "256",
    "--batch-size",
    "64",
    "--seq-length",
    "50",
    "--print-every",
    "20",
    "--threads",
    "1",
]


def measure(scratch: Path) -> Iterator[Row]:
    """The same training without and within the app, in turn: characters a second between two of its events."""
    if not PROBE.is_file():
        print("  no probe beside the repository: left out")
        return
    text, runs = text_file(scratch, 2), scratch / "runs"
    options = ["train", str(text), "--runs-dir", str(runs), "--max-steps", str(STEPS), *SIZES]
    counter = iter(range(1000))

    def speed(name: str) -> float:
        lines = (runs / name / "events.jsonl").read_text(encoding="utf-8").splitlines()
        times = [event["time"] for event in map(json.loads, lines) if event["event"] == "step_done"]
        return 64 * 50 * (len(times) - 1 - SKIPPED) / (times[-1] - times[SKIPPED])

    def headless() -> float:
        name = f"headless-{next(counter)}"
        subprocess.run([*PROGRAM, *options, "--name", name], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        return speed(name)

    def within_app() -> float:
        name = f"app-{next(counter)}"
        running = terminal([*PROGRAM, *options, "--name", name, "--app"])
        events = runs / name / "events.jsonl"
        running.read(120, lambda _: events.is_file() and b"run_finished" in events.read_bytes()[-4000:])
        running.end()
        return speed(name)

    figures = in_turn(ROUNDS, within_app, headless)
    yield Row("training in the app, validations and samples included", "chars/s", *figures, "headless", "≥ 0.98×")
    endless = [*options, "--max-steps", "1000000", "--app"]
    said = probe("echo", ["--after", "12", "--type", "2\\p", "--keys", "100"], [*PROGRAM, *endless])
    note = f"{said['presses']} keys in the playground, median {said['p50_ms']} ms, {said['missed']} missed"
    yield Row(
        "a key's echo during a training, p99", "ms", [said["p99_ms"]], goal="≤ 50 ms", higher_is_better=False, note=note
    )

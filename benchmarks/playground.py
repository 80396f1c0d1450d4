"""The playground: how long a replay takes, the memory of a long text, the first key of each screen; 2×512."""

import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import ROOT, Row, in_a_process, in_turn
from benchmarks.terminal import PROBE, PROGRAM, terminal
from benchmarks.yardstick import text_file
from charrnn_tui.checkpoint.safetensors_file import read_checkpoint
from charrnn_tui.playground.controls import TEMPERATURE, PlaySettings
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.replay import Replay
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.lstm_step import COMPILED
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.tui.play.pane import WRITE_SECONDS
from charrnn_tui.tui.textview.wrapping import WrappedText

TITLE = "Playground, 2×512"
ROUNDS = 9
TOP_5 = SamplingSettings(temperature=0.8, top_k=5)
LONG = 20_000

# From the run's view: each key, and what is on the screen once it has acted. The keys in between are not timed.
FIRST_KEYS = (
    ("help", "?", "scroll"),
    ("", "\x1b", ""),
    ("commands", ":", "earch for commands"),
    ("", "\x1b", ""),
    ("runs", "3", "sorted by"),
    ("playground", "2", "temperature"),
    ("", "g", ""),
    ("inspector", "i", "with the controls"),
    ("", "\x1b", ""),
    ("prime", "p", "Leave field"),
    ("", "\x1b", ""),
    ("models", "m", "Esc cancels"),
    ("", "\x1b", ""),
    ("sessions", "o", "sessions"),
    ("", "\x1b", ""),
    ("side by side", "|", "Link"),
    ("", "\x1b", ""),
    ("run", "1", "Pause"),
)
PROCESSES = 5  # each has every first key once

# In a process of its own, so that nothing else grows.
_HOLDS = """
import json, sys
from pathlib import Path
from charrnn_tui.checkpoint.safetensors_file import read_checkpoint
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.sampler import Sampler
checkpoint = read_checkpoint(Path(sys.argv[1]))
sampler = Sampler(CharModel(checkpoint), checkpoint.vocabulary, SamplingSettings(0.8, 5), seed=1)
text = GeneratedText(sampler, "", 1)
for _ in range(1000):
    text.write(sampler)
def resident():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) * 1024
before = resident()
for _ in range(int(sys.argv[2])):
    text.write(sampler)
print(json.dumps({"grown": resident() - before, "counted": text.memory_bytes * int(sys.argv[2]) / len(text)}))
"""


def measure(scratch: Path) -> Iterator[Row]:
    """1,000 characters replayed with another temperature; memory of a text."""
    checkpoint = read_checkpoint(ROOT / "checkpoints" / "anna.safetensors")
    model = CharModel(checkpoint)
    COMPILED.wait()
    sampler = Sampler(model, checkpoint.vocabulary, TOP_5, seed=42, prime="Anna")
    text = GeneratedText(sampler, "Anna", 42)
    for _ in range(1000):
        text.write(sampler)

    def replayed() -> float:
        """A press of an arrow with replay on, until the text stands in the view."""
        jobs, done = Jobs(), list[GeneratedText]()
        replay = Replay(jobs, lambda text, sampler, control: done.append(text), lambda error: None)
        started = time.perf_counter()
        replay.start(text, PlaySettings(temperature=0.85), TEMPERATURE, 1000)
        while not done:
            time.sleep(WRITE_SECONDS)  # as the pane polls
            jobs.drain()
        WrappedText(80).append(done[0].text)
        return 1000 * (time.perf_counter() - started)

    def weights_read() -> float:
        """The steps alone, without logits and choices."""
        state, started = model.initial_state(), time.perf_counter()
        for token in text.ids:
            state = model.advance(token, state)
        return 1000 * (time.perf_counter() - started)

    figures = in_turn(ROUNDS, replayed, weights_read)
    yield Row(
        "1,000 characters replayed after a change of a control",
        "ms",
        *figures,
        "the network's steps alone",
        "≤ 250 ms",
        higher_is_better=False,
        note="in one thread",
    )
    if Path("/proc/self/status").exists():
        found = [in_a_process(_HOLDS, str(ROOT / "checkpoints" / "anna.safetensors"), str(LONG)) for _ in range(3)]
        megabytes = [entry["grown"] * 100_000 / LONG / 1e6 for entry in found]
        counted = [entry["counted"] * 100_000 / LONG / 1e6 for entry in found]
        yield Row(
            "memory per 100,000 characters of a text",
            "MB",
            megabytes,
            counted,
            "as the text counts it",
            higher_is_better=False,
            note=f"resident, measured over {LONG:,} characters",
        )
    if PROBE.is_file():
        rounds = [_first_keys(scratch, number) for number in range(PROCESSES)]
        medians = {name: statistics.median(keys[name] for keys in rounds) for name in rounds[0]}
        slowest = sorted(medians, key=lambda name: -medians[name])
        yield Row(
            "the slowest first key of a screen while training on all cores",
            "ms",
            [max(keys.values()) for keys in rounds],
            goal="≤ 50 ms",
            higher_is_better=False,
            note="until the screen is complete; medians: "
            + ", ".join(f"{name} {medians[name]:.0f}" for name in slowest),
        )


def _first_keys(scratch: Path, number: int) -> dict[str, float]:
    """Milliseconds from each key of FIRST_KEYS to its screen, in a fresh app that trains at its default settings."""
    runs = scratch / f"first-keys-{number}"
    options = ["--runs-dir", str(runs), "--name", "own", "--app"]
    app = terminal([*PROGRAM, "train", str(text_file(scratch, 2)), *options])
    events = runs / "own" / "events.jsonl"
    app.read(120, lambda _: events.is_file() and b"step_done" in events.read_bytes())
    app.read(4)  # idle for a while, as somebody who reads the screen
    taken = {}
    for name, key, words in FIRST_KEYS:
        before, started = len(app.received), time.perf_counter()
        os.write(app.fd, key.encode())
        if words:
            app.read(10, lambda received, before=before, words=words: words.encode() in received[before:])
            taken[name] = 1000 * (time.perf_counter() - started)
            if words.encode() not in app.received[before:]:
                raise RuntimeError(f"{key!r} never showed {words!r}")
        app.read(1.5)
    app.end()
    return taken

"""How long `--preset quick` takes to the validation loss that the notebook has after its 20 epochs; ten minutes."""

import io
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import torch

from benchmarks.measuring import ROOT, GpuUse, Row
from benchmarks.terminal import PROGRAM
from benchmarks.yardstick import TEXT, encode, notebook, notebook_name
from charrnn_tui.checkpoint.safetensors_file import read_checkpoint
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.batches import batch_count
from charrnn_tui.text.corpus import load_corpus
from charrnn_tui.training.learner import Learner

TITLE = "To the notebook's validation loss"
LEAST_STEPS = 500  # models of less are not worth scoring
PUBLISHED = 1.2952  # nats/char after 20 epochs, in batches of 128 × 100
EPOCHS, BATCH, LENGTH, PRINT_EVERY = 20, 128, 100, 20  # the notebook's


def measure(scratch: Path) -> Iterator[Row]:
    """Wall time from the command to the first kept model that is as good; the notebook's from its speed around it."""
    if not TEXT.is_file():
        print("  the notebook's text is not beside the repository: left out")
        return
    before = _notebook_seconds()
    run = RunDirectory(scratch / "runs" / "quick")
    options = ["--preset", "quick", "--runs-dir", str(run.path.parent), "--name", run.path.name]
    began = time.time()
    with GpuUse() as use:
        subprocess.run([*PROGRAM, "train", str(TEXT), *options], cwd=ROOT, stderr=subprocess.DEVNULL, check=True)
    ended = time.time()
    theirs = [before, _notebook_seconds()]
    judge = Learner(TrainSettings(batch_size=BATCH, seq_length=LENGTH, precision="float32"), load_corpus([TEXT]))
    events = [json.loads(line) for line in run.events_file.read_text(encoding="utf-8").splitlines()]
    saved = [event for event in events if event["event"] == "checkpoint_saved" and event["kind"] == "kept"]
    kept = [event for event in saved if event["step"] >= LEAST_STEPS]
    reached: list[float] = []
    loss = float("nan")
    for event in kept:
        weights = read_checkpoint(run.path / event["file"]).weights
        judge.model.load_state_dict({name: torch.from_numpy(values) for name, values in weights.items()})
        loss = judge.validate()[0]
        print(f"  step {event['step']:,}, {event['time'] - began:.0f} s: {loss:.4f} nats/char", flush=True)
        if loss <= PUBLISHED:
            reached.append(event["time"] - began)
    name = f"{notebook_name()}, {EPOCHS} epochs at its speed just before and after"
    what = f"--preset quick, from the command to validation {PUBLISHED}"
    yield Row(what, "s", reached[:1] * 2, theirs, name, "≤ 1/6", higher_is_better=False)
    note = f"validation {loss:.4f}, in batches of {BATCH} × {LENGTH}"
    yield Row(
        "--preset quick, the whole run", "s", [ended - began] * 2, theirs, name, higher_is_better=False, note=note
    )
    if use.shares:
        yield Row("--preset quick, from the command to its end: the GPU at work", "% of the time", use.shares)


def _notebook_seconds() -> float:
    """Of its whole run: some of its steps, with the validation that belongs to them."""
    alphabet, ids = encode(TEXT)
    net = notebook().CharRNN(alphabet, 512, 2)
    rest = {"batch_size": BATCH, "seq_length": LENGTH}
    with redirect_stdout(io.StringIO()):
        notebook().train(net, ids, 1, **rest, print_every=10**9, max_steps=2)  # to warm up
        started = time.perf_counter()
        notebook().train(net, ids, 1, **rest, print_every=PRINT_EVERY, max_steps=PRINT_EVERY)
        seconds = time.perf_counter() - started
    steps = EPOCHS * batch_count(len(ids) - len(ids) // 10, BATCH, LENGTH)
    return seconds / PRINT_EVERY * steps

"""Training: characters a second at the notebook's settings, and the share of the time that validation takes."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.measuring import GpuUse, Row, in_turn
from benchmarks.yardstick import notebook_name, notebooks_speed, text_file
from charrnn_tui.run.settings import PRESETS, TrainSettings, settings_for
from charrnn_tui.text.corpus import load_corpus
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.lstm_cell import compiled_cell

TITLE = "Training"
ROUNDS = 5
STEPS = {"cpu": 4, "cuda": 200}  # at a time


def measure(scratch: Path) -> Iterator[Row]:
    """At the notebook's settings, ours on the device and threads of `auto`; the notebook's as PyTorch starts it."""
    path = text_file(scratch)
    corpus = load_corpus([path])
    learner = Learner(TrainSettings(), corpus)
    place = learner.placement
    ours, steps = steps_per_second(learner), STEPS.get(place.device, 20)
    figures, others = in_turn(ROUNDS, lambda: 12_800 * ours(), partial(notebooks_speed, "train", path, steps=steps + 1))
    layers = "cuDNN's" if place.device == "cuda" else compiled_cell().description.split(",")[0]
    words = f"{place.device}, {place.precision}, threads {place.threads}, LSTM layers {layers}"
    what = "training, 2 × 512, batches 128 × 100"
    yield Row(what, "chars/s", figures, others, notebook_name(), "≥ 2.2×", note=words)
    if place.device == "cuda":
        with GpuUse() as use:
            for _ in range(ROUNDS):
                ours()
        yield Row(f"{what}: the GPU at work", "% of the time", use.shares)
    for preset in PRESETS:
        yield validation_share(Learner(settings_for(preset, precision=place.precision), corpus), preset)


def steps_per_second(learner: Learner) -> Callable[[], float]:
    """Some steps, timed."""
    steps = STEPS.get(learner.placement.device, 20)

    def run() -> float:
        started, last = time.perf_counter(), learner.step + steps
        while learner.step < last:
            learner.learn(until=last)
        return steps / (time.perf_counter() - started)

    return run


def validation_share(learner: Learner, preset: str) -> Row:
    """Of a run's time, at the preset's settings: one validation beside the steps up to the next."""
    speeds, seconds = in_turn(3, steps_per_second(learner), lambda: learner.validate()[1])
    every = learner.settings.print_every
    shares = [100 * taken / (taken + every / speed) for taken, speed in zip(seconds, speeds, strict=True)]
    what = f"validation at --preset {preset}, every {every} steps"
    return Row(what, "% of the time", shares, goal="≤ 5 %", higher_is_better=False)

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
    what = "training, 2 × 512, batches 128 × 100"
    yield beside_the_notebook(learner, path, what, goal="≥ 2.2×")
    if place.device == "cpu":
        if place.precision != "float32":
            in_float32 = Learner(TrainSettings(precision="float32"), corpus)
            yield beside_the_notebook(in_float32, path, f"{what}, in float32")
        quicker = Learner(TrainSettings(precision="float32", exact_dropout=False), corpus)
        yield beside_the_notebook(
            quicker, path, f"{what}, in float32, not the notebook's random numbers", goal="≥ 1.3×"
        )
    if place.device == "cuda":
        ours = steps_per_second(learner)
        with GpuUse() as use:
            for _ in range(ROUNDS):
                ours()
        yield Row(f"{what}: the GPU at work", "% of the time", use.shares)
    for preset in PRESETS:
        yield validation_share(Learner(settings_for(preset, precision=place.precision), corpus), preset)


def beside_the_notebook(learner: Learner, path: Path, what: str, goal: str = "") -> Row:
    """Characters a second, in turn with the notebook's training of the text at `path`."""
    place, ours = learner.placement, steps_per_second(learner)
    notebook = partial(notebooks_speed, "train", path, steps=STEPS.get(place.device, 20) + 1)
    figures, others = in_turn(ROUNDS, lambda: 12_800 * ours(), notebook)
    layers = "cuDNN's" if place.device == "cuda" else compiled_cell().description.split(",")[0]
    words = f"{place.device}, {place.precision}, threads {place.threads}, LSTM layers {layers}"
    return Row(what, "chars/s", figures, others, notebook_name(), goal, note=words)


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

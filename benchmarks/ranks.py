"""`python -m benchmarks.ranks`: a training step by one process and by two, each with a core, and what they exchange."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.yardstick import text_file
from charrnn_tui.native.cores import available_cores
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.corpus import Corpus, load_corpus
from charrnn_tui.training.launch import leading
from charrnn_tui.training.learner import Learner

RANKS, STEPS, ROUNDS = 2, 8, 3
SIZES = (128, 256, 512)  # hidden units, in batches of 128 × 100


class Timed:
    """A function, and the seconds of each of its calls."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.seconds = function, list[float]()

    def __call__(self, *given: Any) -> Any:
        started = time.perf_counter()
        result = self.function(*given)
        self.seconds.append(time.perf_counter() - started)
        return result


def step_ms(learner: Learner) -> float:
    learner.learn()
    return 1000 * statistics.median(learner.learn().seconds for _ in range(STEPS))


def measure(corpus: Corpus, n_hidden: int) -> str:
    """A row of the table: the least of the rounds, since other programs only add."""
    settings = TrainSettings(n_hidden=n_hidden, device="cpu", precision="float32", exact_dropout=False)
    threads = (1, available_cores())
    alone: dict[int, list[float]] = {count: [] for count in threads}
    shared, exchanges, commands, size = list[float](), list[float](), list[float](), 0
    for _ in range(ROUNDS):
        for count in threads:
            alone[count].append(step_ms(Learner(TrainSettings(**settings.to_json() | {"threads": count}), corpus)))
        with leading(TrainSettings(**settings.to_json() | {"ranks": RANKS}), corpus) as learner:
            ranks: Any = learner._ranks
            ranks.average, ranks.send = Timed(ranks.average), Timed(ranks.send)
            shared.append(step_ms(learner))
            exchanges.append(1000 * min(ranks.average.seconds))
            commands.append(1000 * statistics.median(ranks.send.seconds))
            size = sum(parameter.numel() for parameter in learner.model.parameters()) + 1
    one, all_cores = (min(alone[count]) for count in threads)
    figures = (f"{one:.0f}", f"{all_cores:.0f}", f"{min(shared):.0f}", f"{min(exchanges):.1f}", f"{min(commands):.2f}")
    return f"| 2 × {n_hidden} | {4e-6 * size:.1f} MB | {' | '.join(f'{figure} ms' for figure in figures)} |"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        corpus = load_corpus([text_file(Path(scratch))])
        print("| model | gradients | step, 1 thread | step, all cores | step, 2 ranks | all-reduce | command |")
        print("|---|---|---|---|---|---|---|")
        for n_hidden in SIZES:
            print(measure(corpus, n_hidden), flush=True)


if __name__ == "__main__":
    main()

"""How long a training step takes on this machine, by a short trial."""

import statistics
import time
from dataclasses import replace
from typing import Final

from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.training.learner import Learner

TRIAL_SECONDS: Final = 0.3
_MOST_STEPS: Final = 20
_SHORTER: Final = 5  # times: the sequences of the trial; a step's time is nearly proportional to their length


def step_seconds(settings: TrainSettings, corpus: Corpus) -> float:
    """An estimate by the median of some short steps: as many as `TRIAL_SECONDS` allow, after one that warms up."""
    short = replace(settings, seq_length=-(-settings.seq_length // _SHORTER))
    chars = (_MOST_STEPS + 1) * short.batch_size * short.seq_length
    part = replace(corpus, ids=corpus.ids[: int(chars / (1 - settings.val_frac)) + 1])
    learner = Learner(short, part)
    learner.learn()
    seconds, end = list[float](), time.perf_counter() + TRIAL_SECONDS
    while not seconds or (time.perf_counter() < end and len(seconds) < _MOST_STEPS):
        seconds.append(learner.learn().seconds)
    return statistics.median(seconds) * settings.seq_length / short.seq_length

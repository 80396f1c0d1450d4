"""Which models of its way a training keeps, and keeping them."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.run.kept_checkpoints import FOLDER, KeptCheckpoint, kept_checkpoints, kept_file

EPOCHS_SHARE: Final = 5 / 6  # of what is kept at most, so that some is left for the first epoch: most is learned there
LEAST_FACTOR: Final = 1.5  # between two steps of the first epoch


def steps_to_keep(most: int, steps: int, steps_per_epoch: int) -> list[int]:
    """At most so many steps of a training whose models are worth keeping, in their order.

    The ends of its epochs (evenly fewer where they are too many) and its end; the untrained model; steps of the first
    epoch, each further from the start than the last by the same factor; and with what is left, steps behind it, evenly.
    """
    if most < 1:
        return []
    ends = [*range(steps_per_epoch, steps, steps_per_epoch), steps]
    late = min(len(ends), max(1, int(EPOCHS_SHARE * most)))
    kept = {ends[-(-number * len(ends) // late) - 1] for number in range(1, late + 1)}
    early = most - late
    if early:
        first = min(steps_per_epoch, steps)
        dense = min(early, 1 + math.ceil(math.log(first, LEAST_FACTOR)))
        behind = np.linspace(first, steps, early - dense + 2)[1:-1]
        kept |= {0} | {round(step) for step in (*np.geomspace(1, first, dense)[:-1], *behind)}
    return sorted(kept)


class CheckpointHistory:
    """Keeps models in a run's directory; what it has is what lies there, whoever wrote it."""

    def __init__(self, run: Path, most: int) -> None:
        self._run, self._most = run, most
        self._planned: list[int] = []
        self._plan_of = (-1, -1)
        self._looked_at = -1

    def due(self, step: int, steps: int, steps_per_epoch: int) -> bool:
        """Whether the plan for a training of so many steps wants a model that is not of an earlier step."""
        return any(self._looked_at < planned <= step for planned in self._plan(steps, steps_per_epoch))

    def next_after(self, step: int, steps: int, steps_per_epoch: int) -> int:
        """The next step that the plan wants, at most the training's last."""
        return min((planned for planned in self._plan(steps, steps_per_epoch) if planned > step), default=steps)

    def _plan(self, steps: int, steps_per_epoch: int) -> list[int]:
        if self._plan_of != (steps, steps_per_epoch):
            self._planned, self._plan_of = steps_to_keep(self._most, steps, steps_per_epoch), (steps, steps_per_epoch)
        return self._planned

    def lacks(self, step: int) -> bool:
        """Whether there is a model to keep of this step."""
        return self._most > 0 and self._looked_at < step

    def keep(self, step: int, checkpoint: Checkpoint) -> str:
        """Write the model of a step, and drop another where there are too many; its name in the run's directory.

        Raises OSError.
        """
        self._looked_at = step  # also where the disk refuses it: the next one is another step's
        file = kept_file(self._run, step)
        (self._run / FOLDER).mkdir(exist_ok=True)
        write_checkpoint(file, _halved(checkpoint))
        stored = kept_checkpoints(self._run)
        while len(stored) > self._most:
            least = self._least(stored)
            stored.remove(least)
            least.file.unlink(missing_ok=True)
        return file.relative_to(self._run).as_posix()

    def go_on_after(self, step: int) -> None:
        """The training stands at this step: models of later ones are of a way that it will not have gone."""
        stored = kept_checkpoints(self._run)
        halves = (self._run / FOLDER).glob(".step-*.part")  # of a trainer that was killed
        for file in [*halves, *(checkpoint.file for checkpoint in stored if checkpoint.step > step)]:
            with suppress(OSError):  # a directory that refuses it refuses every other file of a training, too
                file.unlink()
        self._looked_at = max((checkpoint.step for checkpoint in stored if checkpoint.step <= step), default=-1)

    def _least(self, stored: Sequence[KeptCheckpoint]) -> KeptCheckpoint:
        """The one before the last that is missed least: not in the plan, and with the nearest neighbours."""
        before, after = [stored[0], *stored], stored[1:]
        gaps = {stored[place]: after[place].step - before[place].step for place in range(len(after))}
        return min(gaps, key=lambda here: (here.step in self._planned, gaps[here]))


def _halved(checkpoint: Checkpoint) -> Checkpoint:
    """In float16, half the size: 11 bits of each weight, which is enough to look at; what it cannot hold stays."""
    with np.errstate(over="ignore"):
        weights = {name: tensor.astype(np.float16) for name, tensor in checkpoint.weights.items()}
    whole = all(np.isfinite(tensor).all() for tensor in weights.values())
    if not whole:
        return checkpoint
    return replace(checkpoint, weights=weights, facts={**checkpoint.facts, "weights": "float16"})

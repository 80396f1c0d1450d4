"""Alarms about a training, computed from its losses. What ends a training (NaN, a lost device) is not here."""

import math
from collections import deque
from collections.abc import Iterator

from charrnn_tui.run.events import AlarmRaised, Evaluated, StepDone

WARM_UP_STEPS = 50  # the first losses fall too steeply to know what is usual
MEMORY_STEPS = 100  # over which the usual loss and its scatter are averaged
SPIKE_SCATTERS = 8.0  # above the usual loss is a spike, if it is also …
SPIKE_SHARE = 0.2  # … this share above it
PLATEAU_VALIDATIONS = 10  # and an epoch, in which …
PLATEAU_GAIN = 0.001  # … the best validation has not fallen by this share
LAST_SHARE = 0.1  # of a run, where a plateau is its end, not news
RISE_VALIDATIONS = 5  # since the best one, of which the last three lie …
RISE_SHARE = 0.005  # … this share above it


class LossWatch:
    """Given every step and validation, raises alarms about a spike, a plateau, and overfitting.

    Each is raised once: a spike again after the loss has been as usual, the others after the best has improved.
    Losses in nats/char.
    """

    def __init__(self, steps_per_epoch: int) -> None:
        self._steps_per_epoch = steps_per_epoch
        self._seen = 0
        self._usual = self._scatter = 0.0
        self._spiking = False
        self._recent: deque[float] = deque(maxlen=MEMORY_STEPS)  # training losses
        self._history: deque[tuple[int, float]] = deque()  # step and best validation so far
        self._after_best: list[float] = []
        self._best = math.inf
        self._best_step: int | None = None
        self._train_at_best = math.inf
        self._raised_plateau = self._raised_rise = False

    def step(self, done: StepDone) -> Iterator[AlarmRaised]:
        """After each step whose loss is a number."""
        loss = done.loss
        self._recent.append(loss)
        self._seen += 1
        if self._seen <= WARM_UP_STEPS:
            self._learn(loss, 1 / self._seen)
            return
        limit = self._usual + max(SPIKE_SCATTERS * self._scatter, SPIKE_SHARE * self._usual)
        if loss > limit and not self._spiking:
            self._spiking = True
            message = f"loss spike at step {done.step:,}: {loss:.3f} after about {self._usual:.3f} nats/char"
            yield AlarmRaised(
                time=done.time, step=done.step, kind="spike", message=f"{message}; if it stays, halve the learning rate"
            )
        elif loss < self._usual + 2 * self._scatter:
            self._spiking = False
        self._learn(min(loss, limit), 1 / MEMORY_STEPS)

    def _learn(self, loss: float, share: float) -> None:
        self._scatter += share * (abs(loss - self._usual) - self._scatter)
        self._usual += share * (loss - self._usual)

    def validation(self, evaluated: Evaluated, total_steps: int) -> Iterator[AlarmRaised]:
        """After each validation; total_steps: of the run, as planned now."""
        val_loss, step = evaluated.val_loss, evaluated.step
        if not math.isfinite(val_loss):
            return
        train = sum(self._recent) / len(self._recent) if self._recent else math.inf
        if evaluated.best or self._best == math.inf:  # a resumed run has had its best before
            self._best, self._train_at_best = evaluated.best_val_loss, train
            self._best_step = step if evaluated.best else None
            self._after_best.clear()
            self._raised_rise = False
        if not evaluated.best:
            self._after_best.append(val_loss)
        self._history.append((step, self._best))
        if self._rises(train) and not self._raised_rise:
            self._raised_rise = True
            at = f" at step {self._best_step:,}" if self._best_step is not None else ""
            message = (
                f"validation rises while training falls: {val_loss:.4f} now, best {self._best:.4f}{at}, which is kept"
            )
            yield AlarmRaised(time=evaluated.time, step=step, kind="overfitting", message=message)
        elif (gain := self._gain()) is not None and gain >= PLATEAU_GAIN:
            self._raised_plateau = False
        elif (
            gain is not None
            and not (self._raised_plateau or self._raised_rise)
            and step < (1 - LAST_SHARE) * total_steps
        ):
            self._raised_plateau = True
            since = step - self._history[0][0]
            message = f"plateau: the best validation has gained less than 0.1 % in {since:,} steps ({self._best:.4f})"
            yield AlarmRaised(time=evaluated.time, step=step, kind="plateau", message=message)

    def _rises(self, train: float) -> bool:
        last = self._after_best[-3:]
        above = min(last, default=0.0) > self._best * (1 + RISE_SHARE)
        return len(self._after_best) >= RISE_VALIDATIONS and above and train < self._train_at_best

    def _gain(self) -> float | None:
        """The share by which the best has fallen within the window; None before there is a whole one."""
        history = self._history
        newest = history[-1][0]
        while len(history) > PLATEAU_VALIDATIONS + 1 and newest - history[1][0] >= self._steps_per_epoch:
            history.popleft()
        if len(history) <= PLATEAU_VALIDATIONS or newest - history[0][0] < self._steps_per_epoch:
            return None
        return (history[0][1] - self._best) / max(history[0][1], 1e-9)

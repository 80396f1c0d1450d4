"""The learning itself: one optimiser step, one validation (notebook cell 30), and the clock that goes with them."""

import time
from collections import deque
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from charrnn_tui.checkpoint.checkpoint import Weights
from charrnn_tui.run.events import StepDone
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.text.long_text import character_counts
from charrnn_tui.training.batches import Batches, resident_bytes
from charrnn_tui.training.devices import place
from charrnn_tui.training.graph import Graph
from charrnn_tui.training.model import CharRNN, Hidden, weights_of
from charrnn_tui.training.optimizer import AdamW
from charrnn_tui.training.resume_state import ResumeState, restore_generators
from charrnn_tui.training.schedule import learning_rate
from charrnn_tui.training.steps_under_way import StepUnderWay, moment_now, on_its_way

_SPEED_WINDOW = 20  # steps over which chars/s is averaged
_LOSSES_AT_A_TIME = 16  # of a validation, read from the device
_AHEAD_SECONDS = 0.1  # of work queued on the device at most: who asks for something waits that long


class CalledOff(Exception):
    """A validation has not been finished: somebody waits for the training's end."""


class Learner:
    """A model, its optimiser and its place in the text.

    The hidden state is carried from batch to batch, detached, and zero at the start of each epoch. Where steps are
    `under_way`, model, optimiser and hidden state are ahead of `step` and what else is told.
    """

    def __init__(self, settings: TrainSettings, corpus: Corpus) -> None:
        """Build everything; the run's random numbers begin here. Raises SettingsError for a device that is not here."""
        self.settings = settings
        self.train_ids, self.val_ids = corpus.split(settings.val_frac)
        tokens = len(corpus.vocabulary)
        self.placement = place(settings, tokens)
        self.device = torch.device(self.placement.device)
        self._kind: torch.dtype = getattr(torch, self.placement.precision)
        torch.manual_seed(settings.seed)
        self.model = CharRNN(tokens, settings.n_hidden, settings.n_layers, settings.drop_prob, settings.weight_drop)
        self.model.add_forget_bias(settings.forget_bias)
        if settings.output_bias:
            self.model.set_output_bias(torch.from_numpy(character_counts(self.train_ids, tokens)))
        self.model.to(self.device)
        self._broken = torch.zeros((), device=self.device)  # 1 once a figure was not finite, which no step mends
        self.optimizer = AdamW(self.model.parameters(), settings.lr, settings.weight_decay, broken=self._broken)
        self.criterion = nn.CrossEntropyLoss()
        resident = resident_bytes(self.train_ids) + resident_bytes(self.val_ids) <= self.placement.resident_bytes
        self._batches, self._validation_batches = (
            Batches(ids, settings.batch_size, settings.seq_length, self.device, resident=resident)
            for ids in (self.train_ids, self.val_ids)
        )
        self.steps_per_epoch = len(self._batches)
        self.plan(settings)
        self.step = 0
        self.loss = float("nan")
        self.lr_factor = 1.0
        self.train_seconds = 0.0
        self._under_way: deque[StepUnderWay] = deque()
        self._hidden = self.model.init_hidden(settings.batch_size)
        self._step_graph, self._validation_graph = Graph(self.device), Graph(self.device)
        self._recent: deque[float] = deque(maxlen=_SPEED_WINDOW)
        self._validation_seconds: float | None = None

    @property
    def epoch(self) -> int:
        """The epoch of the step last done, counted from 1."""
        return max(0, self.step - 1) // self.steps_per_epoch + 1

    @property
    def at_epoch_start(self) -> bool:
        """Whether the next step begins an epoch."""
        return self.step % self.steps_per_epoch == 0

    @property
    def lr(self) -> float:
        """The learning rate of the next step, behind those under way."""
        step = self.step + self.under_way
        return self.lr_factor * learning_rate(self.settings.schedule, self.settings.lr, step, self.steps)

    @property
    def under_way(self) -> int:
        """How many steps the device has been given that nothing has been told of."""
        return len(self._under_way)

    def restore(self, state: ResumeState) -> None:
        """Go on where that training was: the next step is, bit for bit, the one it would have done.

        On the same machine with as many threads; another device or precision goes on as well, not bit for bit. Nor does
        a GPU with dropout between layers: cuDNN draws it from numbers of its own.
        """
        self.model.load_state_dict(dict(state.model))
        self.optimizer.load_state_dict(state.optimizer)
        self._hidden = (state.hidden[0].to(self.device), state.hidden[1].to(self.device))
        self.step, self.loss, self.lr_factor = state.step, state.loss, state.lr_factor
        self.train_seconds = state.train_seconds
        restore_generators(state.generators, self.device.type)

    def plan(self, settings: TrainSettings) -> None:
        """Take on other settings of how long to train; the schedule follows the new length."""
        self.settings = settings
        whole = self.steps_per_epoch * settings.epochs
        self.steps = min(whole, settings.max_steps or whole)

    def learn(self, until: int = 0) -> StepDone:
        """Tell one more step. Where its loss or gradient is not finite, it and the steps behind it change nothing.

        Behind it, further steps are queued, as many as pay on this device, but none that would come after step `until`,
        at which somebody wants to look at the model.
        """
        while not self._under_way or (self.under_way <= self._worth_queueing() and self.step + self.under_way < until):
            self._begin_step()
        return self._tell(self._under_way.popleft())

    def settle(self) -> list[StepDone]:
        """Tell all steps that are under way."""
        told = []
        while self._under_way:
            told.append(self._tell(self._under_way.popleft()))
        return told

    def _worth_queueing(self) -> int:
        """How many steps behind the one that is waited for keep the device busy, and can still be waited for."""
        if not self._recent:
            return 0
        return min(self.placement.steps_ahead, int(_AHEAD_SECONDS / max(min(self._recent), 1e-9)))

    def _begin_step(self) -> None:
        """Forward, backward, clip, update, given to the device; nothing here waits for it."""
        if not self._under_way:
            self._told_until = moment_now(self.device)
        step, lr = self.step + self.under_way, self.lr
        if step % self.steps_per_epoch == 0:
            self._hidden = self.model.init_hidden(self.settings.batch_size)
        x, y = self._batches[step % self.steps_per_epoch]
        self.optimizer.set_lr(lr)
        self.model.train()
        figures, *hidden = self._step_graph.run(self._train_on, x, y, *self._hidden)
        figures = on_its_way(figures)
        self._under_way.append(StepUnderWay(step + 1, lr, self._hidden, figures, moment_now(self.device)))
        self._hidden = hidden[0], hidden[1]

    def _train_on(self, x: Tensor, y: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        """Loss and gradient norm, (2,), and the next hidden state."""
        self.optimizer.zero_grad()
        logits, hidden = self.model(x, (h, c), self._kind)
        loss = self.criterion(logits.float(), y.reshape(-1))
        loss.backward()
        grad_norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        figures = torch.stack((loss.detach(), grad_norm))
        self._broken.logical_or_(~figures.isfinite().all())
        self.optimizer.step()
        return figures, *hidden

    def _validate_on(self, x: Tensor, y: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        """The loss, (), and the next hidden state."""
        logits, hidden = self.model(x, (h, c), self._kind)
        return self.criterion(logits.float(), y.reshape(-1)), *hidden

    def _tell(self, done: StepUnderWay) -> StepDone:
        done.end.synchronize()
        seconds = self._told_until.elapsed_time(done.end) / 1000
        self._told_until = done.end
        loss, grad_norm = done.figures.tolist()
        if np.isfinite(loss + grad_norm):
            self.step, self.loss = done.step, loss
        else:  # what came behind it is void
            self._under_way.clear()
            self._hidden = done.hidden
            self._broken.zero_()
        self.train_seconds += seconds
        self._recent.append(seconds)
        return StepDone(
            time=time.time(),
            step=done.step,
            epoch=self.epoch,
            loss=loss,
            grad_norm=grad_norm,
            lr=done.lr,
            seconds=round(seconds, 4),
            chars_per_second=round(self._chars_per_second(), 1),
            train_seconds=round(self.train_seconds, 3),
            eta_seconds=round(self._eta_seconds(), 1),
        )

    @property
    def validation_windows(self) -> int:
        """How many batches a validation reads: those of the whole part, or as many as `val_chars` allows."""
        allowed = self.settings.val_chars // (self.settings.batch_size * self.settings.seq_length)
        return min(len(self._validation_batches), max(1, allowed))

    def validate(self, called_off: Callable[[], bool] = lambda: False) -> tuple[float, float]:
        """(mean of the batch losses in nats/char, seconds it took): the notebook's validation.

        In the training's precision: in bfloat16 the mean over the notebook's text moves by 1e-5. Of a long text each
        row of the batches is read for as long as `val_chars` allows. Raises CalledOff soon after somebody has.
        """
        started = time.perf_counter()
        self.model.eval()
        hidden = list(self.model.init_hidden(self.settings.batch_size))
        total, losses = 0.0, list[Tensor]()
        with torch.inference_mode():
            for window in range(self.validation_windows):
                x, y = self._validation_batches[window]
                loss, *hidden = self._validation_graph.run(self._validate_on, x, y, *hidden)
                losses.append(loss)
                if len(losses) == _LOSSES_AT_A_TIME:
                    total += sum(torch.stack(losses).tolist())
                    losses.clear()  # thousands of small tensors, kept between large ones, tear the heap to pieces
                    if called_off():
                        raise CalledOff
        total += sum(loss.item() for loss in losses)
        self._validation_seconds = seconds = time.perf_counter() - started
        self.train_seconds += seconds
        return total / self.validation_windows, seconds

    @property
    def hidden(self) -> Hidden:
        """What the next step starts from."""
        return self._hidden

    def weights(self) -> Weights:
        """A copy of the model's weights as it is now."""
        return weights_of(self.model)

    def _chars_per_second(self) -> float:
        chars = self.settings.batch_size * self.settings.seq_length * len(self._recent)
        return chars / max(sum(self._recent), 1e-9)

    def _eta_seconds(self) -> float:
        """Of the steps and validations still to do, at the speed of the last ones; pauses are not foreseen."""
        left = self.steps - self.step
        step_seconds = sum(self._recent) / max(1, len(self._recent))
        validation_seconds = self._validation_seconds
        if validation_seconds is None:  # none done yet: forward is about a third of a step
            validation_seconds = self.validation_windows * step_seconds / 3
        return left * (step_seconds + validation_seconds / self.settings.print_every)

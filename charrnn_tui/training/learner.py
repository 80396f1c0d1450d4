"""Model, optimizer and place in the text: one training step, one validation (notebook cell 30), and their timing."""

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from charrnn_tui.checkpoint.checkpoint import Checkpoint, Weights
from charrnn_tui.run.events import StepDone
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.text.long_text import character_counts
from charrnn_tui.text.vocabulary import Ids
from charrnn_tui.training.batches import Batches, resident_bytes
from charrnn_tui.training.checkpoint_history import steps_to_keep
from charrnn_tui.training.device_queue import DeviceQueue, QueuedStep
from charrnn_tui.training.devices import Placement, place
from charrnn_tui.training.graph import Graph
from charrnn_tui.training.model import CharRNN, Hidden
from charrnn_tui.training.optimizer import AdamW
from charrnn_tui.training.pace import Pace
from charrnn_tui.training.resume_state import ResumeState, restore_generators
from charrnn_tui.training.schedule import learning_rate

if TYPE_CHECKING:  # a training by one process needs nothing of torch.distributed
    from charrnn_tui.training.ranks import Ranks

_LOSSES_AT_A_TIME = 16  # of a validation, read from the device


class Cancelled(Exception):
    """A step or a validation was given up because somebody waits for the training to end; it changed nothing."""


class Learner:
    """A CharRNN in training.

    Truncated backpropagation through time: the hidden state is carried from batch to batch, detached, and is zero at
    the start of each epoch. While steps are `queued`, model, optimizer and `hidden` are ahead of `step` and `loss`.
    With several ranks, `hidden` has the rows of this one.
    """

    def __init__(
        self,
        settings: TrainSettings,
        corpus: Corpus,
        *,
        placement: Placement | None = None,
        queue: DeviceQueue | None = None,
        clock: Callable[[], float] = time.perf_counter,
        ranks: "Ranks | None" = None,
    ) -> None:
        """Build everything from the settings' seed. Raises SettingsError for a device that this machine lacks.

        ranks: the processes that share the training, if there are several. The corpus of all but rank 0 holds their
        rows of the text, one after the other.
        """
        self.settings = settings
        self.train_ids = corpus.weighted_training_ids(settings.val_frac)
        self.val_ids = corpus.split(settings.val_frac)[1]
        tokens = len(corpus.vocabulary)
        self.placement = placement or place(settings, tokens)
        self.device = torch.device(self.placement.device)
        self.cancelled: Callable[[], bool] = lambda: False  # whether to give up the step or validation
        self.check_seconds, self._checked = 0.25, time.perf_counter()
        self._queue, self._clock = queue or DeviceQueue(self.device), clock
        self._dtype: torch.dtype = getattr(torch, self.placement.precision)
        # The seed comes right before the model, so that its first weights are the notebook's with the same seed.
        torch.manual_seed(settings.seed)
        sizes, dropouts = (settings.n_hidden, settings.n_layers), (settings.drop_prob, settings.weight_drop)
        self.model = CharRNN(tokens, *sizes, *dropouts, settings.exact_dropout)
        self.model.add_forget_bias(settings.forget_bias)
        if settings.output_bias:
            self.model.set_output_bias(torch.from_numpy(character_counts(self.train_ids, tokens)))
        self.model.to(self.device)
        self.broken = torch.zeros((), device=self.device)  # 1 from a step that is not finite until its report
        self.optimizer = AdamW(self.model.parameters(), settings.lr, settings.weight_decay, broken=self.broken)
        self.criterion = nn.CrossEntropyLoss()
        resident = resident_bytes(self.train_ids) + resident_bytes(self.val_ids) <= self.placement.resident_bytes
        self._ranks, self._rows, own_ids = ranks, settings.batch_size, self.train_ids
        if ranks is not None:
            self._rows //= ranks.size
            if ranks.rank == 0:
                own_ids = ranks.send_text(own_ids, settings.batch_size, settings.seq_length)
        self.batches, self.validation_batches = (
            Batches(ids, rows, settings.seq_length, self.device, resident=resident)
            for ids, rows in ((own_ids, self._rows), (self.val_ids, settings.batch_size))
        )
        self._old_batches: Batches | None = None
        self.steps_per_epoch = len(self.batches)
        self.set_plan(settings)
        self.step = 0
        self.loss = float("nan")
        self.lr_factor = 1.0
        self.train_seconds = 0.0
        self.hidden = self._last_start = self.model.init_hidden(self._rows)  # the state that the next step starts from
        self._queued: deque[QueuedStep] = deque()
        self._step_graph, self._update_graph, self._validation_graph = (Graph(self.device) for _ in range(3))
        self.pace = Pace()
        if ranks is not None and ranks.rank == 0:
            ranks.send("share")
            self.share_state()

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
        """The learning rate of the next step to be queued."""
        step = self.step + self.queued
        return self.lr_factor * learning_rate(self.settings.schedule, self.settings.lr, step, self.steps)

    @property
    def queued(self) -> int:
        """How many steps the device has been given that are not reported yet."""
        return len(self._queued)

    def start_from(self, model: Checkpoint) -> None:
        """Take on the weights of a model whose tokens come first in this alphabet.

        The columns of the first layer and the rows of the output that belong to other tokens stay as they are. Raises
        RanksLost.
        """
        state = self.model.state_dict()
        for name, weights in model.weights.items():
            known = tuple(slice(size) for size in weights.shape)
            state[name][known] = torch.from_numpy(weights.astype(np.float32)).to(self.device)
        if self._ranks is not None:
            self._ranks.send("share")
            self.share_state()

    def watch(self, ids: Ids) -> None:
        """Let validations read the beginning of another text, too, (T,), ids of this alphabet."""
        self._old_batches = Batches(
            ids, self.settings.batch_size, self.settings.seq_length, self.device, resident=False
        )

    def restore(self, state: ResumeState) -> None:
        """Continue from that state: the next step is, bit for bit, the one that training would have done.

        This holds on the same machine with the same number of threads. It does not hold after a change of device or
        precision, nor on a GPU with dropout between layers, which cuDNN draws from random numbers of its own. Raises
        RanksLost.
        """
        self.model.load_state_dict(dict(state.model))
        self.optimizer.load_state_dict(state.optimizer)
        self.hidden = (state.hidden[0].to(self.device), state.hidden[1].to(self.device))
        if self._ranks is not None:
            self._ranks.send("share")
            self.share_state(self.hidden)
        self.step, self.loss, self.lr_factor = state.step, state.loss, state.lr_factor
        self.train_seconds = state.train_seconds
        restore_generators(state.generators, self.device.type)

    def share_state(self, hidden: Hidden | None = None) -> None:
        """With all ranks: take on the weights, the optimizer's state and the rows' hidden state of rank 0.

        hidden: of the whole batch, on rank 0; None is zero.
        """
        assert self._ranks is not None
        whole = self.model.init_hidden(self.settings.batch_size) if hidden is None else hidden
        self._ranks.share([*self.model.state_dict().values(), *self.optimizer.tensors(), *whole])
        self.hidden = self._ranks.own_rows(whole)

    def whole_hidden(self) -> Hidden:
        """The hidden state of the whole batch, from all ranks. Raises RanksLost."""
        if self._ranks is None:
            return self.hidden
        self._ranks.send("gather")
        return self._ranks.all_rows(self.hidden)

    @property
    def torn(self) -> bool:
        """Whether the other ranks wait within a step that this one has left, so that nothing can be asked of them."""
        return self._ranks is not None and self._ranks.torn

    def set_plan(self, settings: TrainSettings) -> None:
        """Apply settings with another length of the training; the schedule follows it."""
        self.settings = settings
        whole = self.steps_per_epoch * settings.epochs
        self.steps = min(whole, settings.max_steps or whole)
        self.kept_steps = steps_to_keep(settings.keep_checkpoints, self.steps, self.steps_per_epoch)

    def learn(self, until: int = 0) -> StepDone:
        """Report one more step; if its loss or gradient is not finite, it and those queued behind it change nothing.

        Further steps are queued behind it, as many as pay on this device, but none after step `until`, when the caller
        will look at the model. Raises Cancelled, on a CPU, soon after `cancelled()` turns true.
        """
        ahead = self.pace.worth_queueing(self.placement.steps_ahead)
        while not self._queued or (self.queued <= ahead and self.step + self.queued < until):
            self.begin_step()
        return self._report(self._queued.popleft())

    def finish_queued(self) -> list[StepDone]:
        """Report all queued steps."""
        reports = []
        while self._queued:
            reports.append(self._report(self._queued.popleft()))
        return reports

    def begin_step(self) -> None:
        """Give the device one more step, without waiting for it. Raises RanksLost."""
        if not self._queued:
            self._reported_until = self._queue.mark()
        step, lr = self.step + self.queued, self.lr
        if self._ranks is not None:
            self._ranks.send("step", step, lr)
        figures = self._queue.fetch(self.compute_step(step, lr))
        self._queued.append(QueuedStep(step + 1, lr, self._last_start, figures, self._queue.mark()))

    def compute_step(self, step: int, lr: float) -> Tensor:
        """Train on a batch, the `step`-th, counted from 0; returns loss and gradient norm, (2,), on the device."""
        if step % self.steps_per_epoch == 0:
            self.hidden = self.model.init_hidden(self._rows)
        x, y = self.batches[step % self.steps_per_epoch]  # (seq, batch) each
        self.optimizer.set_lr(lr)
        self.model.train()
        generator = torch.get_rng_state()
        try:
            if self._ranks is None:
                figures, *hidden = self._step_graph.run(self._train_on, x, y, *self.hidden)
            else:
                if self.device.type == "cpu":  # elsewhere that would begin cuDNN's dropout anew
                    self._ranks.seed(self.settings.seed, step)
                shared, *hidden = self._step_graph.run(self._gradients_on, x, y, *self.hidden)
                self._ranks.average(shared)
                (figures,) = self._update_graph.run(self._update_by, shared)
        except Cancelled:
            torch.set_rng_state(generator)
            raise
        self._last_start, self.hidden = self.hidden, (hidden[0], hidden[1])
        return figures

    def undo_step(self) -> None:
        """Go back to the hidden state before the last step, which was not finite and changed nothing else."""
        self.hidden = self._last_start
        self.broken.zero_()

    def _check(self) -> None:
        """Ask, every `check_seconds`, whether to give up what the model computes."""
        if time.perf_counter() - self._checked >= self.check_seconds:
            self._checked = time.perf_counter()
            if self.cancelled() and not self.torn:
                raise Cancelled

    def _train_on(self, x: Tensor, y: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        """Loss and gradient norm, (2,), and the next hidden state; x, y (seq, batch), h, c (layers, batch, n)."""
        loss, *hidden = self._backward_on(x, y, h, c)
        return self._update(loss), *hidden

    def _backward_on(self, x: Tensor, y: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        """The loss, (), and the next hidden state; leaves the gradients of this rank's rows."""
        self.optimizer.zero_grad()
        logits, hidden = self.model(x, (h, c), self._dtype, self._check)  # (seq * batch, tokens)
        loss = self.criterion(logits.float(), y.reshape(-1))  # (), nats/char: the mean of -log p(next character)
        loss.backward()
        return loss.detach(), *hidden

    def _update(self, loss: Tensor) -> Tensor:
        """Update the model by its gradients; returns loss and gradient norm, (2,)."""
        # Clipped before the step, over all parameters at once (Pascanu et al. 2013); the norm is that before clipping.
        grad_norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)  # ()
        figures = torch.stack((loss, grad_norm))  # (2,)
        # Decided on the device: reading the figures here would wait for it, and a CUDA graph cannot hold a branch.
        self.broken.logical_or_(~figures.isfinite().all())
        self.optimizer.step()  # changes nothing while `broken` is 1
        return figures

    def _gradients_on(self, x: Tensor, y: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        """Loss and all gradients, (1 + parameters,), and the next hidden state, for this rank's rows."""
        loss, *hidden = self._backward_on(x, y, h, c)
        return self.optimizer.pack_gradients(loss), *hidden

    def _update_by(self, shared: Tensor) -> tuple[Tensor]:
        """Update the model by what `_gradients_on` gives, averaged over the ranks: loss and gradient norm, (2,)."""
        return (self._update(self.optimizer.unpack_gradients(shared)),)

    def _validate_on(self, x: Tensor, y: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        """The loss, (), and the next hidden state; shapes as for `_train_on`."""
        logits, hidden = self.model(x, (h, c), self._dtype, self._check)  # (seq * batch, tokens)
        return self.criterion(logits.float(), y.reshape(-1)), *hidden

    def _report(self, done: QueuedStep) -> StepDone:
        done.end.synchronize()
        seconds = self._reported_until.elapsed_time(done.end) / 1000
        self._reported_until = done.end
        loss, grad_norm = done.figures.tolist()
        if np.isfinite(loss + grad_norm):
            self.step, self.loss = done.step, loss
        else:  # it and the steps queued behind it changed nothing: forget them, and go back to the state before it
            self._queued.clear()
            self.hidden = done.hidden
            self.broken.zero_()
            if self._ranks is not None:
                self._ranks.send("undo")
        self.train_seconds += seconds
        self.pace.add_step(seconds)
        return StepDone(
            time=time.time(),
            step=done.step,
            epoch=self.epoch,
            loss=loss,
            grad_norm=grad_norm,
            lr=done.lr,
            seconds=round(seconds, 4),
            chars_per_second=round(
                self.pace.steps_per_second() * self.settings.batch_size * self.settings.seq_length, 1
            ),
            train_seconds=round(self.train_seconds, 3),
            eta_seconds=round(self._eta_seconds(), 1),
        )

    @property
    def validation_windows(self) -> int:
        """How many batches a validation reads: all, or as many as `val_chars` allows."""
        return self._windows(self.validation_batches)

    def _windows(self, batches: Batches) -> int:
        allowed = self.settings.val_chars // (self.settings.batch_size * self.settings.seq_length)
        return min(len(batches), max(1, allowed))

    def validate(self) -> tuple[float, float]:
        """The notebook's validation: (mean of the batch losses in nats/char, seconds it took).

        It is computed in the training's precision: bfloat16 moves the mean over the notebook's text by 1e-5. Of a long
        text, `val_chars` limits how far each row of the batches is read. Raises Cancelled soon after
        `cancelled()` turns true.
        """
        return self._timed_validation(self.validation_batches)

    def validate_old(self) -> float | None:
        """The same loss of the other text that is watched; None if there is none. Raises Cancelled."""
        if self._old_batches is None:
            return None
        return self._timed_validation(self._old_batches, further=True)[0]

    def _timed_validation(self, batches: Batches, *, further: bool = False) -> tuple[float, float]:
        started = self._clock()
        mean = self._mean_validation_loss(batches)
        seconds = self._clock() - started
        self.train_seconds += seconds
        self.pace.add_validation(seconds, further=further)
        return mean, seconds

    def _mean_validation_loss(self, batches: Batches) -> float:
        windows = self._windows(batches)
        self.model.eval()
        hidden = list(self.model.init_hidden(self.settings.batch_size))
        total, losses = 0.0, list[Tensor]()
        with torch.inference_mode():
            for window in range(windows):
                x, y = batches[window]
                loss, *hidden = self._validation_graph.run(self._validate_on, x, y, *hidden)
                losses.append(loss)
                if len(losses) == _LOSSES_AT_A_TIME:
                    total += sum(torch.stack(losses).tolist())
                    losses.clear()  # thousands of small tensors among large ones would fragment the heap
                    if self.cancelled():
                        raise Cancelled
        total += sum(loss.item() for loss in losses)
        return total / windows

    def weights(self) -> Weights:
        """A copy of the model's current weights, as float32 NumPy arrays."""
        return {name: tensor.float().cpu().numpy().copy() for name, tensor in self.model.state_dict().items()}

    @property
    def validation_seconds(self) -> float:
        """Of a validation; 0 if there are none."""
        return self.pace.validation_seconds(self.validation_windows) if self.settings.val_frac else 0.0

    def _eta_seconds(self) -> float:
        """Seconds for the remaining steps and validations, at the usual speed of the last ones; pauses do not count."""
        left = self.steps - self.step
        return left * (self.pace.step_seconds() + self.validation_seconds / self.settings.print_every)

"""The learning itself: one optimiser step, one validation (notebook cell 30), and the clock that goes with them."""

import time
from collections import deque
from collections.abc import Iterator
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn

from charrnn_tui.checkpoint.checkpoint import Weights
from charrnn_tui.run.events import StepDone
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.batches import batch_count, get_batches
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.text.long_text import character_counts
from charrnn_tui.text.vocabulary import Ids
from charrnn_tui.training.devices import place
from charrnn_tui.training.model import CharRNN, Hidden, weights_of
from charrnn_tui.training.resume_state import ResumeState, restore_generators
from charrnn_tui.training.schedule import learning_rate

_SPEED_WINDOW = 20  # steps over which chars/s is averaged


class Learner:
    """A model, its optimiser and its place in the text.

    The hidden state is carried from batch to batch, detached, and zero at the start of each epoch.
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
        fused = self.placement.device in ("cpu", "cuda")
        self.optimizer = torch.optim.AdamW(  # with no weight decay, AdamW is Adam
            self.model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay, fused=fused
        )
        self.criterion = nn.CrossEntropyLoss()
        self.steps_per_epoch = batch_count(len(self.train_ids), settings.batch_size, settings.seq_length)
        self.plan(settings)
        self.step = 0
        self.loss = float("nan")
        self.lr_factor = 1.0
        self.train_seconds = 0.0
        self._batches: Iterator[tuple[Ids, Ids]] = iter(())
        self._hidden = self.model.init_hidden(settings.batch_size)
        self._recent: deque[float] = deque(maxlen=_SPEED_WINDOW)
        self._validation_batches = batch_count(len(self.val_ids), settings.batch_size, settings.seq_length)
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
        """The learning rate of the next step."""
        return self.lr_factor * learning_rate(self.settings.schedule, self.settings.lr, self.step, self.steps)

    def restore(self, state: ResumeState) -> None:
        """Go on where that training was: the next step is, bit for bit, the one it would have done.

        On the same machine with as many threads; another device or precision goes on as well, not bit for bit.
        """
        self.model.load_state_dict(dict(state.model))
        self.optimizer.load_state_dict(deepcopy(dict(state.optimizer)))  # else its steps would change the state
        self._hidden = (state.hidden[0].to(self.device), state.hidden[1].to(self.device))
        self.step, self.loss, self.lr_factor = state.step, state.loss, state.lr_factor
        self.train_seconds = state.train_seconds
        window = self.step % self.steps_per_epoch
        self._batches = get_batches(self.train_ids, self.settings.batch_size, self.settings.seq_length, window)
        restore_generators(state.generators, self.device.type)

    def plan(self, settings: TrainSettings) -> None:
        """Take on other settings of how long to train; the schedule follows the new length."""
        self.settings = settings
        whole = self.steps_per_epoch * settings.epochs
        self.steps = min(whole, settings.max_steps or whole)

    def learn(self) -> StepDone:
        """One step: forward, backward, clip, update. Where loss or gradient is not finite, nothing is updated."""
        started = time.perf_counter()
        if self.at_epoch_start:
            self._batches = get_batches(self.train_ids, self.settings.batch_size, self.settings.seq_length)
            self._hidden = self.model.init_hidden(self.settings.batch_size)
        x, y = next(self._batches)
        lr = self.lr
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        logits, hidden = self.model(self._tensor(x), self._hidden, self._kind)
        loss = self.criterion(logits.float(), self._tensor(y).reshape(-1))
        loss.backward()
        grad_norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip))
        loss_value = float(loss.detach())
        finite = bool(np.isfinite(loss_value + grad_norm))
        if finite:
            self.optimizer.step()
            self._hidden = hidden
            self.loss = loss_value
            self.step += 1
        seconds = time.perf_counter() - started
        self.train_seconds += seconds
        self._recent.append(seconds)
        return StepDone(
            time=time.time(),
            step=self.step if finite else self.step + 1,
            epoch=self.epoch,
            loss=loss_value,
            grad_norm=grad_norm,
            lr=lr,
            seconds=round(seconds, 4),
            chars_per_second=round(self._chars_per_second(), 1),
            train_seconds=round(self.train_seconds, 3),
            eta_seconds=round(self._eta_seconds(), 1),
        )

    def validate(self) -> tuple[float, float]:
        """(mean of the batch losses in nats/char, seconds it took): the notebook's validation.

        In the training's precision: in bfloat16 the mean over the notebook's text moves by 1e-5.
        """
        started = time.perf_counter()
        self.model.eval()
        hidden = self.model.init_hidden(self.settings.batch_size)
        losses = []
        with torch.inference_mode():
            for x, y in get_batches(self.val_ids, self.settings.batch_size, self.settings.seq_length):
                logits, hidden = self.model(self._tensor(x), hidden, self._kind)
                losses.append(self.criterion(logits.float(), self._tensor(y).reshape(-1)))
        loss = float(torch.stack(losses).double().mean())
        self._validation_seconds = seconds = time.perf_counter() - started
        self.train_seconds += seconds
        return loss, seconds

    @property
    def hidden(self) -> Hidden:
        """What the next step starts from."""
        return self._hidden

    def weights(self) -> Weights:
        """A copy of the model's weights as it is now."""
        return weights_of(self.model)

    def _tensor(self, ids: Ids) -> Tensor:
        """(batch, seq) as int64 (seq, batch), where the model is."""
        return torch.from_numpy(ids.T.astype(np.int64, order="C")).to(self.device, non_blocking=True)

    def _chars_per_second(self) -> float:
        chars = self.settings.batch_size * self.settings.seq_length * len(self._recent)
        return chars / max(sum(self._recent), 1e-9)

    def _eta_seconds(self) -> float:
        """Of the steps and validations still to do, at the speed of the last ones; pauses are not foreseen."""
        left = self.steps - self.step
        step_seconds = sum(self._recent) / max(1, len(self._recent))
        validation_seconds = self._validation_seconds
        if validation_seconds is None:  # none done yet: forward is about a third of a step
            validation_seconds = self._validation_batches * step_seconds / 3
        return left * (step_seconds + validation_seconds / self.settings.print_every)

"""Builds events, checkpoints and resume states from a learner."""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from charrnn_tui import __version__
from charrnn_tui.checkpoint.checkpoint import Checkpoint, Facts
from charrnn_tui.run.budget import Budget
from charrnn_tui.run.events import (
    EndState,
    Evaluated,
    LearningRateChanged,
    PlanChanged,
    RunFinished,
    RunStarted,
    SampleWritten,
)
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.text.lines import median_line_length
from charrnn_tui.text.long_text import bytes_per_char
from charrnn_tui.training.flops import flops_per_char, limit_gflops
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.lstm_cell import compiled_cell
from charrnn_tui.training.resume_state import ResumeState, generator_states

WriteSample = Callable[[Checkpoint, TrainSettings], tuple[str, str]]  # returns the prime and the generated text


@dataclass(frozen=True)
class Validated:
    """The last validation's loss and step, and the best loss so far, in nats/char; step -1 before the first.

    not_improved: how many validations there have been since the best one.
    """

    loss: float | None = None
    best_loss: float | None = None
    step: int = -1
    not_improved: int = 0


class TrainingReporter:
    """Each method reads the learner's current state. Validations run here, since later reports include their result."""

    def __init__(
        self, learner: Learner, corpus: Corpus, run: str, write_sample: WriteSample | None, budget: Budget
    ) -> None:
        self.writes_samples = write_sample is not None
        self.validated = Validated()
        self.budget = budget
        self._learner, self._corpus, self._run, self._write_sample = learner, corpus, run, write_sample
        self._line_length = median_line_length(corpus.ids, corpus.vocabulary)
        held_out = corpus.split(learner.settings.val_frac)[1]
        self._bytes_per_char = bytes_per_char(held_out if len(held_out) else corpus.ids, corpus.vocabulary)

    def restore(self, state: ResumeState) -> None:
        """Take the result of the last validation from there."""
        self.validated = Validated(state.val_loss, state.best_val_loss, state.evaluated_at, state.not_improved)

    def started(self, *, resumed: bool, detached: bool) -> RunStarted:
        """The training's model, text, device and plan."""
        learner, placement = self._learner, self._learner.placement
        settings, tokens = learner.settings, len(self._corpus.vocabulary)
        return RunStarted(
            time=time.time(),
            step=learner.step,
            run=self._run,
            corpus=self._corpus.name,
            corpus_sha256=self._corpus.sha256,
            chars=len(self._corpus),
            bytes_per_char=self._bytes_per_char,
            tokens=tokens,
            new_tokens="".join(self._corpus.vocabulary.tokens[len(settings.alphabet) :]) if settings.init_from else "",
            parameters=sum(tensor.numel() for tensor in learner.model.state_dict().values()),
            device=placement.device,
            device_name=placement.device_name,
            precision=placement.precision,
            threads=placement.threads,
            ranks=settings.ranks,
            flops_per_char=flops_per_char(tokens, settings.n_hidden, settings.n_layers),
            limit_gflops=round(settings.ranks * limit_gflops(placement), 3),
            lstm=compiled_cell().description if placement.device == "cpu" else "",
            epochs=settings.epochs,
            steps=learner.steps,
            steps_per_epoch=learner.steps_per_epoch,
            pid=os.getpid(),
            host=platform.node(),
            resumed_at_step=learner.step if resumed else None,
            detached=detached,
            settings=settings.to_json(),
            versions=_versions(),
        )

    def finished(self, state: EndState, reason: str) -> RunFinished:
        """The end of the training; state and reason as in RunFinished."""
        return RunFinished(
            time=time.time(),
            step=self._learner.step,
            state=state,
            reason=reason,
            train_seconds=round(self._learner.train_seconds, 3),
            val_loss=self.validated.loss,
            best_val_loss=self.validated.best_loss,
        )

    def plan_changed(self, plan: str, at_step: int) -> PlanChanged:
        """A plan for a later step; plan as in PlanChanged."""
        learner = self._learner
        return PlanChanged(
            time=time.time(),
            step=learner.step,
            plan=plan,
            at_step=at_step,
            epochs=learner.settings.epochs,
            steps=learner.steps,
        )

    def learning_rate_changed(self) -> LearningRateChanged:
        """The learning rate of the next step."""
        learner = self._learner
        return LearningRateChanged(time=time.time(), step=learner.step, lr=learner.lr, factor=learner.lr_factor)

    def evaluated(self) -> Evaluated:
        """Validate now. Raises Cancelled."""
        learner, best_before = self._learner, self.validated.best_loss
        val_loss, seconds = learner.validate()
        old_val_loss = learner.validate_old()
        best = val_loss < (np.inf if best_before is None else best_before)  # never true for NaN
        not_improved = 0 if best else self.validated.not_improved + 1
        self.validated = Validated(val_loss, val_loss if best else best_before, learner.step, not_improved)
        return Evaluated(
            time=time.time(),
            step=learner.step,
            epoch=learner.epoch,
            loss=learner.loss,
            val_loss=val_loss,
            best_val_loss=self.validated.best_loss if self.validated.best_loss is not None else val_loss,
            best=best,
            batch_size=learner.settings.batch_size,
            seq_length=learner.settings.seq_length,
            chars=learner.validation_windows * learner.settings.batch_size * learner.settings.seq_length,
            old_val_loss=old_val_loss,
            seconds=round(seconds, 4),
        )

    def sample_written(self, *, requested: bool = False) -> SampleWritten:
        """Write a sample now; only if `writes_samples`."""
        assert self._write_sample is not None
        settings = self._learner.settings
        prime, text = self._write_sample(self.checkpoint(), settings)
        return SampleWritten(
            time=time.time(),
            step=self._learner.step,
            prime=prime,
            text=text,
            seed=settings.sample_seed,
            top_k=settings.sample_top_k,
            val_loss=self.validated.loss,
            requested=requested,
        )

    def checkpoint(self) -> Checkpoint:
        """A copy of the current model, with the facts that `info` shows."""
        learner, settings, validated = self._learner, self._learner.settings, self.validated
        facts: Facts = {
            "run": self._run,
            "corpus": self._corpus.name,
            "corpus_sha256": self._corpus.sha256,
            "chars": len(self._corpus),
            "bytes_per_char": self._bytes_per_char,
            "median_line_length": self._line_length,
            "step": learner.step,
            "steps": learner.steps,
            "epoch": learner.epoch,
            "epochs": settings.epochs,
            "loss": _number(learner.loss),
            "val_loss": _number(validated.loss) if validated.step == learner.step else None,
            "best_val_loss": _number(validated.best_loss),
            "last_val_loss": _number(validated.loss),
            "last_val_step": validated.step if validated.step >= 0 else None,
            "batch_size": settings.batch_size,
            "seq_length": settings.seq_length,
            "val_frac": settings.val_frac,
            "device": learner.placement.device,
            "precision": learner.placement.precision,
            "settings": settings.to_json(),
            "versions": _versions(),
        }
        return Checkpoint(learner.weights(), self._corpus.vocabulary, settings.n_hidden, settings.n_layers, facts)

    def state(self) -> ResumeState:
        """The current state, sharing its tensors with the learner: the next step changes them. Raises RanksLost."""
        learner, placement, validated = self._learner, self._learner.placement, self.validated
        return ResumeState(
            settings=learner.settings.to_json(),
            corpus_sha256=self._corpus.sha256,
            device=placement.device,
            precision=placement.precision,
            threads=placement.threads,
            step=learner.step,
            loss=learner.loss,
            lr_factor=learner.lr_factor,
            train_seconds=learner.train_seconds,
            val_loss=validated.loss,
            best_val_loss=validated.best_loss,
            evaluated_at=validated.step,
            model=learner.model.state_dict(),
            optimizer=learner.optimizer.state_dict(),
            hidden=learner.whole_hidden(),
            generators=generator_states(placement.device),
            not_improved=validated.not_improved,
            spent_seconds=self.budget.spent_seconds,
        )


def _number(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def _versions() -> dict[str, str]:
    return {
        "charrnn-tui": __version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }

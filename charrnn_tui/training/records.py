"""What a training tells of itself: its first event, the facts in its checkpoints, the state that it resumes from."""

import os
import platform
import time
from dataclasses import dataclass

import numpy as np
import torch

from charrnn_tui import __version__
from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.run.events import RunFinished, RunStarted
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.training.compiled_cell import compiled_cell
from charrnn_tui.training.learner import Learner
from charrnn_tui.training.resume_state import ResumeState, generator_states


@dataclass(frozen=True)
class Validated:
    """The last validation's loss and step, and the best loss so far, in nats/char; step -1 before the first."""

    loss: float | None = None
    best_loss: float | None = None
    step: int = -1


def started_event(corpus: Corpus, learner: Learner, run: str | None, *, resumed: bool, detached: bool) -> RunStarted:
    """What is trained on what, where, from which step on."""
    return RunStarted(
        time=time.time(),
        step=learner.step,
        run=run or "",
        corpus=corpus.name,
        corpus_sha256=corpus.sha256,
        chars=len(corpus),
        tokens=len(corpus.vocabulary),
        parameters=sum(tensor.numel() for tensor in learner.model.state_dict().values()),
        device=learner.placement.device,
        device_name=learner.placement.device_name,
        precision=learner.placement.precision,
        threads=learner.placement.threads,
        lstm=compiled_cell().words if learner.placement.device == "cpu" else "",
        epochs=learner.settings.epochs,
        steps=learner.steps,
        steps_per_epoch=learner.steps_per_epoch,
        pid=os.getpid(),
        host=platform.node(),
        resumed_at_step=learner.step if resumed else None,
        detached=detached,
        settings=learner.settings.to_json(),
        versions=_versions(),
    )


def finished_event(learner: Learner, validated: Validated, state: str, reason: str) -> RunFinished:
    """How it ended, and where."""
    return RunFinished(
        time=time.time(),
        step=learner.step,
        state=state,
        reason=reason,
        train_seconds=round(learner.train_seconds, 3),
        val_loss=validated.loss,
        best_val_loss=validated.best_loss,
    )


def checkpoint_of(corpus: Corpus, learner: Learner, validated: Validated, run: str | None) -> Checkpoint:
    """The model as it is, with the facts that `info` tells."""
    settings = learner.settings
    facts = {
        "run": run,
        "corpus": corpus.name,
        "corpus_sha256": corpus.sha256,
        "chars": len(corpus),
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
    return Checkpoint(learner.weights(), corpus.vocabulary, settings.n_hidden, settings.n_layers, facts)


def state_of(corpus: Corpus, learner: Learner, validated: Validated) -> ResumeState:
    """The training as it is; the tensors are the learner's own, which its next step changes."""
    return ResumeState(
        settings=learner.settings.to_json(),
        corpus_sha256=corpus.sha256,
        device=learner.placement.device,
        precision=learner.placement.precision,
        threads=learner.placement.threads,
        step=learner.step,
        loss=learner.loss,
        lr_factor=learner.lr_factor,
        train_seconds=learner.train_seconds,
        val_loss=validated.loss,
        best_val_loss=validated.best_loss,
        evaluated_at=validated.step,
        model=learner.model.state_dict(),
        optimizer=learner.optimizer.state_dict(),
        hidden=learner.hidden,
        generators=generator_states(learner.placement.device),
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

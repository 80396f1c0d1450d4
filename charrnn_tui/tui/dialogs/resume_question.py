"""The question before a run is resumed."""

from collections.abc import Callable
from typing import Any

from textual.screen import Screen

from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.dialogs.questions import Choice, ChoiceDialog, TextDialog, whole_number_problem

Question = tuple[Screen[str | None], Callable[[str], dict[str, Any]]]


def resume_question(name: str, progress: RunProgress) -> Question | None:
    """A dialog and a function from its answer to changed settings; None if an ended run can be resumed as it is.

    A finished run needs more epochs, or more patience if that has ended it; one that lost its device another device;
    one that diverged a lower learning rate.
    """
    if progress.state == "finished" and progress.started is not None:
        if (patience := progress.started.settings.get("patience")) and progress.step < progress.total_steps:
            question = f"{name} ended: {progress.reason}. Patience to resume it with, in validations:"
            dialog = TextDialog(question, str(2 * patience), whole_number_problem)
            return dialog, lambda answer: {"patience": int(answer)}
        epochs = proposed = progress.started.epochs
        if progress.step < epochs * progress.started.steps_per_epoch:  # --max-steps has ended it
            done = f"has finished {progress.step:,} steps, fewer than its {epochs} epochs"
        else:
            done, proposed = f"has finished {epochs} epochs", epochs + max(1, epochs // 2)
        question = f"{name} {done}. Number of epochs in all after which to end:"
        dialog = TextDialog(question, str(proposed), whole_number_problem)
        return dialog, lambda answer: {"epochs": int(answer)}
    failed_by = progress.alarms[-1].kind if progress.state == "failed" and progress.alarms else ""
    if failed_by == "device":
        question = f"{name} lost its device. Resume from the last saved state:"
        choices = [Choice("d", "on the same device", "auto"), Choice("c", "on the CPU", "cpu")]
        return ChoiceDialog(question, choices), lambda answer: {"device": answer} if answer == "cpu" else {}
    if failed_by not in ("", "ranks") and progress.last_step is not None:
        question = f"{name} failed. Learning rate for resuming from the last good state:"
        dialog = TextDialog(question, f"{progress.last_step.lr / 2:.3g}", _learning_rate_problem)
        return dialog, lambda answer: {"lr": float(answer)}
    return None


def _learning_rate_problem(text: str) -> str:
    """What is wrong with the answer; empty if it is a learning rate."""
    try:
        return "" if 0 < float(text) < 10 else "a rate above 0 and below 10"
    except ValueError:
        return "a number such as 0.0005"

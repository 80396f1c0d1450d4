"""What is asked before a run goes on."""

from collections.abc import Callable
from typing import Any

from textual.screen import Screen

from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.dialogs.questions import Choice, ChoiceDialog, TextDialog, whole_number_problem

Question = tuple[Screen[str | None], Callable[[str], dict[str, Any]]]


def resume_question(name: str, progress: RunProgress) -> Question | None:
    """A dialog, and the settings that its answer changes; None where a run that has ended goes on as it is.

    A finished run needs more epochs, one that lost its device another one, one whose loss broke a smaller rate.
    """
    if progress.state == "finished" and progress.started is not None:
        epochs = progress.started.epochs
        question = f"{name} is finished. Train on until so many epochs are done in all (now {epochs})."
        dialog = TextDialog(question, str(epochs + max(1, epochs // 2)), whole_number_problem)
        return dialog, lambda answer: {"epochs": int(answer)}
    if progress.state == "failed" and progress.alarms and progress.alarms[-1].kind == "device":
        question = f"{name} lost its device. Go on from what is on disk:"
        choices = [Choice("d", "on the device as before", "auto"), Choice("c", "on the CPU", "cpu")]
        return ChoiceDialog(question, choices), lambda answer: {"device": answer} if answer == "cpu" else {}
    if progress.state == "failed" and progress.last_step is not None and progress.alarms:
        question = f"{name} failed. Go on from the last good state with this learning rate."
        dialog = TextDialog(question, f"{progress.last_step.lr / 2:.3g}", _learning_rate_problem)
        return dialog, lambda answer: {"lr": float(answer)}
    return None


def _learning_rate_problem(text: str) -> str:
    """What is wrong with a learning rate; nothing where it is one."""
    try:
        return "" if 0 < float(text) < 10 else "a rate above 0 and below 10"
    except ValueError:
        return "a number such as 0.0005"

"""How `train` shows its progress: as lines, as JSON, or as a bar on a terminal; `watch` uses the same lines."""

import shlex
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from charrnn_tui.cli.options import PROGRAM
from charrnn_tui.cli.output import DataStream, DrawnStream, may_draw, say, visible_line
from charrnn_tui.run import events
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.events import Event, to_json
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.quantities import count, duration, nats_and_bits
from charrnn_tui.runner.runs_directory import default_runs_directory
from charrnn_tui.text.byte_text import BYTES
from charrnn_tui.tui.train.run_lines import as_fits

MOST_NEW = 40  # characters that are new to the model of --init-from and named
Show = Callable[[Event, RunProgress], None]  # called with each event, in order; the progress holds it already

REDRAW_SECONDS = 0.2
JOIN_SECONDS = 2.0  # a terminal that has stopped reading must not delay the end of a training


@contextmanager
def progress_bar(name: str) -> Iterator[Show]:
    """A bar on standard error, drawn by a thread of its own from the newest progress.

    A terminal that stops reading blocks that thread, not the training.
    """
    newest, noticed, done = RunProgress(), deque[Event](), threading.Event()

    def show(event: Event, progress: RunProgress) -> None:
        nonlocal newest
        newest = progress
        if notices_for(event, progress):
            noticed.append(event)

    def draw() -> None:
        from rich.console import Console  # only where there is a terminal to draw on
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        console = Console(file=cast(IO[str], DrawnStream(sys.stderr)), highlight=False)
        bar = BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=4))
        texts = [
            TextColumn(text, table_column=Column(no_wrap=True), markup=False)
            for text in ("{task.description}", "{task.fields[numbers]}")
        ]
        with (
            suppress(OSError),
            Progress(texts[0], bar, texts[1], console=console, auto_refresh=False, expand=True) as view,
        ):  # OSError: the terminal is gone; the training goes on
            task = view.add_task(visible_line(name), total=None, numbers="preparing")
            last = False
            while not last:
                last = done.wait(REDRAW_SECONDS)
                while noticed:
                    event = noticed.popleft()
                    if isinstance(event, events.AlarmRaised):
                        console.bell()
                    for line in notices_for(event, newest):
                        console.print(visible_line(line), markup=False)
                numbers = bar_numbers(newest, console.width)
                view.update(
                    task,
                    total=newest.total_steps or None,
                    completed=newest.step,
                    numbers=numbers,
                    refresh=may_draw(sys.stderr),
                )

    thread = threading.Thread(target=draw, name="progress bar", daemon=True)
    thread.start()
    try:
        yield show
    finally:
        done.set()
        thread.join(JOIN_SECONDS)


@contextmanager
def report_for(directory: RunDirectory, as_json: bool) -> Iterator[Show]:
    """Yield the function that shows each event: as JSON if asked for, a bar on a terminal, or lines."""
    if as_json:
        stream = DataStream()
        yield lambda event, progress: stream.write_json(to_json(event))
    elif may_draw(sys.stderr):
        with progress_bar(directory.name) as show:
            yield show
    else:
        yield say_lines


def say_lines(event: Event, progress: RunProgress) -> None:
    """Write the lines of an event to standard error."""
    if lines := lines_for(event, progress):
        say(*lines)


def bar_numbers(progress: RunProgress, columns: int) -> str:
    """The figures beside the bar, the most important first: as many as fit into this many columns."""
    last, evaluation = progress.last_step, progress.last_evaluation
    if last is None:
        return "preparing"
    val = f", val {evaluation.val_loss:.3f}" if evaluation else ""
    facts = [f"{100 * progress.step / max(1, progress.total_steps):.0f} % · loss {last.loss:.3f}{val} nats/char"]
    if progress.validating:
        facts.append("validating")
    if progress.eta_seconds is not None:
        facts.append(f"{duration(progress.eta_seconds)} left")
    facts.append(f"epoch {last.epoch}/{progress.started.epochs if progress.started else 0}")
    facts.append(f"step {count(progress.step)}/{count(progress.total_steps)}")
    facts.append(f"{count(last.chars_per_second)} chars/s")
    if share := progress.machine_share:
        facts.append(share.short)
    return as_fits(facts, max(len(facts[0]), columns - 24), " · ")


def lines_for(event: Event, progress: RunProgress) -> list[str]:
    """The lines of an event: `state_line` for a validation, or every `print_every` steps without one; else notices."""
    due = progress.last_evaluation is not None and event is progress.last_evaluation
    if progress.started is not None and not progress.started.settings.get("val_frac", 1):
        every = progress.started.settings.get("print_every", 20)
        due = event is progress.last_step and event.step % every == 0
    return [state_line(progress)] if due else notices_for(event, progress)


def state_line(progress: RunProgress) -> str:
    """Epoch, step, loss, validation with its geometry, speed and time left: the notebook's line, with units."""
    started, last, evaluation = progress.started, progress.last_step, progress.last_evaluation
    facts = []
    if last is not None:
        epochs = f"/{started.epochs}" if started else ""
        steps = f"/{started.steps:,}" if started else ""
        facts += [f"epoch {last.epoch}{epochs}", f"step {progress.step:,}{steps}", f"loss {last.loss:.4f} nats/char"]
    if evaluation is not None:
        geometry = f"{evaluation.batch_size} × {evaluation.seq_length}"
        facts.append(f"val loss {evaluation.val_loss:.4f} nats/char ({geometry})")
        if evaluation.old_val_loss is not None:
            facts.append(f"old text {evaluation.old_val_loss:.4f}")
    if last is not None:
        facts.append(f"{last.chars_per_second:,.0f} chars/s")
    if progress.eta_seconds is not None:
        facts.append(f"{duration(progress.eta_seconds)} left")
    return " · ".join(facts)


def notices_for(event: Event, progress: RunProgress) -> list[str]:
    """The lines of an event that are shown with a bar, too."""
    match event:
        case events.RunStarted():
            return started_lines(event)
        case events.AlarmRaised(message=message):
            return [f"alarm: {message}"]
        case events.RunPaused():
            return [f"paused at step {event.step:,}"]
        case events.RunResumed():
            return ["resumed"]
        case events.RunDetached():
            return [f"step {event.step:,}: the terminal is gone; the training continues"]
        case events.PlanChanged():
            if event.plan == "budget":
                return [f"plan changed: {event.steps:,} steps fit into the budget"]
            return [f"plan changed: {event.plan}, at step {event.at_step:,}"]
        case events.RunFinished():
            return ending_lines(event, progress)
    return []


def started_lines(started: events.RunStarted) -> list[str]:
    """The model, the text, the device and the precision."""
    sizes = f"{started.settings.get('n_layers')} × {started.settings.get('n_hidden')}"
    place = f"{started.device} × {started.threads}" if started.device == "cpu" else started.device_name
    place = f"{started.ranks} ranks of {place}" if started.ranks > 1 else place
    resumed = f"resumed at step {started.resumed_at_step:,}: " if started.resumed_at_step is not None else ""
    read = f"{started.chars:,} characters, {started.tokens:,} of them distinct"
    if started.settings.get("encoding") == BYTES:
        read = f"{started.chars:,} bytes"
    if weights := started.settings.get("weights"):
        read += f", in an epoch {weights.replace(',', ' and ')} times"
    line = (
        f"{started.run}: {resumed}an LSTM of {sizes} units ({started.parameters:,} parameters) on {started.corpus} "
        f"({read}), {place}, {started.precision}"
    )
    budget = started.settings.get("budget")
    return [
        line,
        *_start_lines(started),
        *([f"{started.steps:,} steps fit into the budget of {duration(budget)}"] if budget else []),
        *([f"LSTM layers are {started.lstm}"] if started.lstm.startswith("PyTorch") else []),
    ]


def _start_lines(started: events.RunStarted) -> list[str]:
    """What a fine-tuned run starts from, and the characters that are new to it."""
    model = started.settings.get("init_from")
    if not model or started.resumed_at_step is not None:
        return []
    new = [repr(char)[1:-1] for char in started.new_tokens]
    more = f" and {len(new) - MOST_NEW:,} more" if len(new) > MOST_NEW else ""
    words = "no characters are new to it"
    if new:
        words = f"new to it, with the weights of a new model: {' '.join(new[:MOST_NEW])}{more}"
    return [f"starts from {model}: {words}; learning rate {started.settings.get('lr', 0):.3g}"]


def ending_lines(event: events.RunFinished, progress: RunProgress) -> list[str]:
    """How and when the training ended, how fast it was at the end, and its best validation."""
    line = f"{event.state} at step {event.step:,} after {duration(event.train_seconds)} of training"
    if event.reason and event.state != "failed":  # the command prints the reason of a failure last
        line += f": {event.reason.removeprefix(f'{event.state} ')}"
    lines = [line]
    if (last := progress.last_step) and (share := progress.machine_share):
        lines.append(f"speed {last.chars_per_second:,.0f} chars/s, {share.text}")
    best = progress.best_evaluation
    if best is None:
        return lines
    geometry = f"{best.batch_size} × {best.seq_length}"
    loss = nats_and_bits(best.val_loss, progress.per_byte(best.val_loss))
    return [*lines, f"best val loss {loss} at {geometry}, step {best.step:,}"]


def where_lines(directory: RunDirectory, runs: Path) -> list[str]:
    """The checkpoint of the run and the command to write with it; empty without a checkpoint."""
    file = directory.checkpoint_file()
    if file is None:
        return []
    return [f"checkpoint: {file}", f"write with it: {command_line('sample', directory, runs)}"]


def come_back_lines(directory: RunDirectory, runs: Path, pid: int | str | None) -> list[str]:
    """How to return to a run that is trained without a terminal."""
    by = f" (process {pid})" if pid else ""
    return [
        f"{directory.name} trains on without this terminal{by}",
        f"come back with: {command_line('watch', directory, runs)}",
    ]


def command_line(words: str, directory: RunDirectory, runs: Path) -> str:
    """A command for this run that can be typed in any directory."""
    if directory.path.parent != runs:
        return f"{PROGRAM} {words} {shlex.quote(str(directory.path.absolute()))}"
    elsewhere = "" if runs == default_runs_directory() else f" --runs-dir {shlex.quote(str(runs))}"
    return f"{PROGRAM} {words} {shlex.quote(directory.name)}{elsewhere}"

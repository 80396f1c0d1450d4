"""The lines and bars that describe a run: pure functions of its progress."""

import itertools
import math
from collections.abc import Sequence

from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.quantities import bits, count, duration
from charrnn_tui.run.states import state_label, state_sign

LEAST_BAR, MOST_BAR = 4, 60  # cells
_EIGHTHS = " ▏▎▍▌▋▊▉"
_SPARKS = "▁▂▃▄▅▆▇█"


def bar(share: float, width: int) -> str:
    """A bar of so many cells, filled to an eighth of a cell; the rest is a thin line."""
    share = min(1.0, max(0.0, share))
    eighths = int(share * width * 8)
    full, part = divmod(eighths, 8)
    filled = "█" * full + (_EIGHTHS[part] if part else "")
    return filled + "─" * (width - len(filled))


def sparkline(values: list[float], width: int) -> str:
    """Values as blocks, the lowest lowest; the means of equal stretches where there are more than fit."""
    if not values or width < 1:
        return ""
    if len(values) > width:
        edges = [round(number * len(values) / width) for number in range(width + 1)]
        values = [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return "".join(_SPARKS[round((value - low) / span * 7)] for value in values)


def status_parts(progress: RunProgress, name: str) -> list[str]:
    """For the header, the most important first: `● anna-3`, `12.4k/50k 24 %`, `41 min left`."""
    shown = "" if progress.state in ("training", "detached") else f" {progress.state}"
    parts = [f"{state_sign(progress.state)} {name}{shown}"]
    if progress.total_steps:
        share = f"{progress.step / progress.total_steps:.0%}".replace("%", " %")
        parts.append(f"{count(progress.step)}/{count(progress.total_steps)} {share}")
    if progress.eta_seconds is not None:
        parts.append(f"{duration(progress.eta_seconds)} left")
    return parts


def place_line(progress: RunProgress, name: str, width: int) -> str:
    """Name, state, device and speed: `anna-3 ● training  cpu ×2 float32  4.9k chars/s  94 GFLOP/s, 59 % of limit`."""
    state = f"{state_sign(progress.state)} validating" if progress.validating else state_label(progress.state)
    parts = [f"{name} {state}"]
    if started := progress.started:
        threads = f" ×{started.threads}" if started.device == "cpu" else ""
        ranks = f"{started.ranks} ranks of " if started.ranks > 1 else ""
        parts.append(f"{ranks}{started.device}{threads} {started.precision}")
    if (last := progress.last_step) and progress.ended:
        parts.append(f"after {duration(last.train_seconds)} of training")
    elif last:
        parts.append(f"{count(last.chars_per_second)} chars/s")
    more = [progress.machine_share.short] if progress.machine_share else []
    if started:
        more.insert(0 if progress.ended else 1, started.device_name)
    return as_fits([*parts, *more], width)


def bar_lines(progress: RunProgress, width: int) -> list[str]:
    """The epoch's bar and the run's, each with its numbers; no lines before the run has started."""
    started = progress.started
    if not started or not started.steps_per_epoch:
        return []
    per_epoch, step = started.steps_per_epoch, progress.step
    epoch = min(max(0, step - 1) // per_epoch + 1, started.epochs)
    in_epoch = step - (epoch - 1) * per_epoch
    left = f"{duration(progress.eta_seconds)} left" if progress.eta_seconds is not None else progress.reason
    rows: Sequence[tuple[str, float, list[str]]] = (
        (f"epoch {epoch}/{started.epochs}", in_epoch / per_epoch, [f"step {in_epoch:,} of {per_epoch:,}"]),
        ("run", step / max(1, started.steps), [*([left] if left else []), f"step {step:,} of {started.steps:,}"]),
    )
    label_width = max(len(label) for label, _, _ in rows)
    room = max(0, width - label_width - LEAST_BAR - len("  100 % "))
    words = [as_fits(parts, room, " · ") for _, _, parts in rows]
    bar_width = min(MOST_BAR, LEAST_BAR + room - max(map(len, words)))
    return [
        f"{label:<{label_width}} {bar(share, bar_width)} {min(1.0, share) * 100:3.0f} % {said}"[:width]
        for (label, share, _), said in zip(rows, words, strict=True)
    ]


def fact_lines(progress: RunProgress, width: int, memory: str = "") -> list[str]:
    """Losses in nats/char, then what drives them; what does not fit, from the end, is left out."""
    last, evaluation, best = progress.last_step, progress.last_evaluation, progress.best_evaluation
    losses, drive = [], []
    if last:
        losses.append(f"train {last.loss:.3f}" + ("" if evaluation else " nats/char"))
        drive += [f"lr {last.lr:.3g}", f"grad norm {last.grad_norm:.2g}"]
    if evaluation:
        losses.append(f"val {evaluation.val_loss:.4f} nats/char, {evaluation.batch_size}×{evaluation.seq_length}")
        per_byte = progress.per_byte(evaluation.val_loss)
        of_byte = "" if per_byte in (None, bits(evaluation.val_loss)) else f", {per_byte:.2f} bits/byte"
        drive.append(f"val {bits(evaluation.val_loss):.2f} bits/char{of_byte}")
    if evaluation and evaluation.old_val_loss is not None:
        losses.append(f"old text {evaluation.old_val_loss:.4f}")
    if best:
        losses.append(f"best {best.val_loss:.4f} at step {best.step:,}")
    if progress.started and progress.started.tokens:
        losses.append(f"uniform guessing {math.log(progress.started.tokens):.2f}")
    if memory:
        drive.append(f"memory of this program {memory}")
    return [as_fits(losses, width), as_fits(drive, width)]


def ending_line(progress: RunProgress) -> str:
    """How a run has ended: `finished, best val 1.2345 nats/char, 128×100`; and why it failed, or ended early."""
    best, why = progress.best_evaluation, f": {progress.reason}" if progress.reason else ""
    if progress.state == "failed" or best is None:
        return progress.state + why
    ended = progress.state + why * (progress.state == "finished")
    return f"{ended}, best val {best.val_loss:.4f} nats/char, {best.batch_size}×{best.seq_length}"


def alarm_line(progress: RunProgress, width: int) -> str:
    """The last alarm, and the key for what does not fit: the rest of it, and those before."""
    if not progress.alarms:
        return ""
    line, more = f"! {progress.alarms[-1].message}", len(progress.alarms) - 1
    hint = f"  (A: {more} more)" if more else ""
    if len(line) + len(hint) > width:
        hint = hint or "  (A: all)"
        line = line[: max(0, width - len(hint) - 1)].rpartition(" ")[0] + " …"
    return line + hint


def as_fits(parts: Sequence[str], width: int, between: str = "  ") -> str:
    """As many parts as a line holds, none of them cut; of the first, what fits."""
    line = parts[0][:width] if parts else ""
    for part in parts[1:]:
        if len(line) + len(between) + len(part) > width:
            break
        line += between + part
    return line

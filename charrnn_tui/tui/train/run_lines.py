"""The words and bars of a run: pure functions from its progress to lines."""

import itertools
import math

from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.quantities import bits, count, duration

GLYPHS = {
    "preparing": "…",
    "training": "●",
    "detached": "◐",
    "paused": "‖",
    "finished": "✓",
    "stopped": "■",
    "interrupted": "○",
    "failed": "✗",
}
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


def status_line(progress: RunProgress, name: str) -> str:
    """For the header, the most important first: `● anna-3 12.4k/50k 24 % · 41 min left`."""
    parts = [f"{GLYPHS[progress.state]} {name}"]
    if progress.state != "training":
        parts.append(progress.state)
    if progress.total_steps:
        share = progress.step / progress.total_steps
        parts.append(f"{count(progress.step)}/{count(progress.total_steps)} {share:.0%}".replace("%", " %"))
    if progress.eta_seconds is not None:
        parts.append(f"· {duration(progress.eta_seconds)} left")
    return " ".join(parts)


def place_line(progress: RunProgress, name: str) -> str:
    """Who trains where, how fast: `anna-3 ● training  cpu ×2 bfloat16  11.2k chars/s`."""
    parts = [f"{name} {GLYPHS[progress.state]} {'validating' if progress.validating else progress.state}"]
    if started := progress.started:
        threads = f" ×{started.threads}" if started.device == "cpu" else ""
        parts.append(f"{started.device}{threads} {started.precision}")
    if (last := progress.last_step) and not progress.ended:
        parts.append(f"{count(last.chars_per_second)} chars/s")
    if progress.ended and progress.last_step:
        parts.append(f"after {duration(progress.last_step.train_seconds)} of training")
    if progress.started:
        parts.append(progress.started.device_name)
    return "  ".join(parts)


def bar_lines(progress: RunProgress, width: int) -> list[str]:
    """The epoch's bar and the run's, each with its numbers; no lines before the run has started."""
    started = progress.started
    if not started or not started.steps_per_epoch:
        return []
    per_epoch, step = started.steps_per_epoch, progress.step
    epoch = min(max(0, step - 1) // per_epoch + 1, started.epochs)
    in_epoch = step - (epoch - 1) * per_epoch
    left = f"{duration(progress.eta_seconds)} left" if progress.eta_seconds is not None else progress.reason
    rows = (
        (f"epoch {epoch}/{started.epochs}", in_epoch / per_epoch, f"step {in_epoch:,} of {per_epoch:,}"),
        ("run", step / max(1, started.steps), f"step {step:,} of {started.steps:,} · {left}".rstrip(" ·")),
    )
    label_width = max(len(label) for label, _, _ in rows)
    words_width = max(len(words) for _, _, words in rows)
    room = max(4, min(60, width - label_width - words_width - 8))
    return [
        f"{label:<{label_width}} {bar(share, room)} {min(1.0, share) * 100:3.0f} % {words}"[:width]
        for label, share, words in rows
    ]


def fact_lines(progress: RunProgress, width: int, memory: str = "") -> list[str]:
    """Losses in nats/char, then what drives them; the last of a line is left out where it does not fit."""
    last, evaluation, best = progress.last_step, progress.last_evaluation, progress.best_evaluation
    losses, drive = [], []
    if last:
        losses.append(f"train {last.loss:.3f} nats/char")
        drive += [f"lr {last.lr:.3g}", f"grad norm {last.grad_norm:.2g}"]
    if evaluation:
        losses.append(f"val {evaluation.val_loss:.4f} ({bits(evaluation.val_loss):.2f} bits)")
    if best:
        losses.append(f"best {best.val_loss:.4f} at step {best.step:,}")
        drive.append(f"val on batches of {best.batch_size}×{best.seq_length}")
    if started := progress.started:
        losses.append(f"guessing {math.log(started.tokens):.2f}")
    if memory:
        drive.append(f"memory {memory}")
    return [_as_fits(losses, width), _as_fits(drive, width)]


def alarm_line(progress: RunProgress, width: int) -> str:
    """The last alarm, and the key for what does not fit: the rest of it, and those before."""
    if not progress.alarms:
        return ""
    line, more = f"! {progress.alarms[-1].message}", len(progress.alarms) - 1
    hint = f"  (A: {more} more)" if more else ""
    if len(line) + len(hint) > width:
        hint = hint or "  (A: all)"
        line = line[: max(0, width - len(hint) - 1)] + "…"
    return line + hint


def _as_fits(parts: list[str], width: int) -> str:
    """As many parts as a line holds, and always the first."""
    line = parts[0] if parts else ""
    for part in parts[1:]:
        if len(line) + 2 + len(part) > width:
            break
        line += "  " + part
    return line

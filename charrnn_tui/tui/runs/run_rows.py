"""Rows of the table of runs: their cells, their order, the columns that fit, and the differences between runs."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.follower import RunFollowers
from charrnn_tui.run.kept_checkpoints import kept_checkpoints
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.quantities import age, count, duration, size
from charrnn_tui.run.run_tags import RunTag, files_of, read_tag
from charrnn_tui.run.states import state_label
from charrnn_tui.tui.train.run_lines import sparkline

PIN, MARK, OTHER_BATCHES = "◆", "•", "≠"
NAME, STATE, STEP, TRAIN, VAL, BEST, BATCHES, CURVE, SIZE, MODEL, UPDATED, NOTE = COLUMNS = (
    *("run", "state", "step", "train", "val", "best", "batches", "curve", "size", "model", "updated", "note"),
)
EPOCH, KEPT = "epoch", "kept"  # columns of `charrnn-tui runs` only
_LAYOUTS = (  # least width of the screen in cells, and the table's columns
    (128, COLUMNS),
    (116, (NAME, STATE, STEP, TRAIN, BEST, BATCHES, CURVE, SIZE, MODEL, UPDATED, NOTE)),
    (98, (NAME, STATE, STEP, TRAIN, BEST, BATCHES, CURVE, SIZE, NOTE)),
    (76, (NAME, STATE, STEP, BEST, CURVE, SIZE)),
    (56, (NAME, STATE, BEST, SIZE)),
    (0, (NAME, STATE, BEST)),
)


@dataclass(frozen=True)
class RunRow:
    """A run as the table shows it. size_bytes: of all its files. kept: number of its checkpoints of earlier steps."""

    run: RunDirectory
    progress: RunProgress = field(default_factory=RunProgress)
    tag: RunTag = field(default_factory=RunTag)
    size_bytes: int = 0
    kept: int = 0

    @property
    def searched(self) -> str:
        """The text that a filter searches, in lower case."""
        corpus = self.progress.started.corpus if self.progress.started else ""
        return f"{self.run.name} {self.progress.state} {corpus} {self.tag.note}".casefold()


def row_of(run: RunDirectory, followers: RunFollowers) -> RunRow:
    """The run as it is now. Blocks while it reads."""
    follower = followers.of(run)
    follower.poll()
    size_bytes = sum(file_bytes for _, file_bytes in files_of(run))
    return RunRow(run, follower.progress, read_tag(run), size_bytes, len(kept_checkpoints(run.path)))


def _best(row: RunRow) -> float:
    best = row.progress.best_evaluation
    return best.val_loss if best else math.inf


_Key = Callable[[RunRow], tuple[object, ...]]
BY_LOSS = "best loss"
ORDERS: dict[str, _Key] = {
    "newest": lambda row: (-row.progress.updated,),
    BY_LOSS: lambda row: (_best(row),),
    "name": lambda row: (row.run.name.casefold(),),
    "state": lambda row: (row.progress.ended, row.progress.state),
    "steps": lambda row: (-row.progress.step,),
    "size": lambda row: (-row.size_bytes,),
}


def arranged(rows: Sequence[RunRow], order: str, filter_words: str) -> list[RunRow]:
    """The rows that contain every word of the filter: the pinned ones first, then the others, each in this order."""
    wanted = filter_words.casefold().split()
    found = [row for row in rows if all(word in row.searched for word in wanted)]
    return sorted(found, key=lambda row: (not row.tag.pinned, *ORDERS[order](row), row.run.name))


def columns_for(width: int) -> tuple[str, ...]:
    """The columns that fit a screen of this width in cells."""
    return next(columns for least, columns in _LAYOUTS if width >= least)


def settings_of(row: RunRow) -> dict[str, str]:
    """The settings of a run as they are shown, by name; without the alphabet, which is that of `init_from`."""
    started = row.progress.started
    given = started.settings.items() if started else ()
    return {name: plain_setting(value) for name, value in given if name != "alphabet"}


def differing_settings(rows: Sequence[RunRow]) -> list[str]:
    """The names of the settings in which these runs differ."""
    known = list(map(settings_of, rows))
    names = dict.fromkeys(name for each in known for name in each)
    return [name for name in names if len({each.get(name) for each in known}) > 1]


def batches_of(row: RunRow) -> str:
    """Batch size and sequence length that the validation losses were computed with, on which they depend a little."""
    best = row.progress.best_evaluation
    return f"{best.batch_size}×{best.seq_length}" if best else ""


def usual_batches(rows: Sequence[RunRow]) -> str:
    """The batches of most of these runs."""
    return max(Counter(filter(None, map(batches_of, rows))).items(), key=lambda item: item[1], default=("", 0))[0]


def cells_of(row: RunRow, marks: str = "", usual: str = "") -> dict[str, str]:
    """The text of every column. marks: before the name. usual: losses of other batches than these are marked."""
    progress, started = row.progress, row.progress.started
    last, evaluation, best = progress.last_step, progress.last_evaluation, progress.best_evaluation
    marks = f"{PIN} {marks}" if row.tag.pinned else marks
    other = f" {OTHER_BATCHES}" if usual and batches_of(row) not in ("", usual) else ""
    settings = started.settings if started else {}
    return {
        NAME: marks + row.run.name,
        STATE: state_label(progress.state),
        STEP: f"{count(progress.step)}/{count(started.steps)}" if started else "",
        EPOCH: f"{last.epoch}/{started.epochs}" if last and started else "",
        TRAIN: f"{last.loss:.3f}" if last else "",
        VAL: f"{evaluation.val_loss:.4f}" if evaluation else "",
        BEST: f"{best.val_loss:.4f}{other}" if best else "",
        BATCHES: batches_of(row),
        CURVE: sparkline([loss for loss in progress.val_losses if math.isfinite(loss)], 12),
        KEPT: str(row.kept),
        SIZE: size(row.size_bytes),
        MODEL: f"{settings.get('n_layers', '?')}×{settings.get('n_hidden', '?')}" if started else "",
        UPDATED: age(progress.updated) if progress.updated else "",
        NOTE: row.tag.note,
    }


def settings_diff(rows: Sequence[RunRow]) -> str:
    """A table of what differs between these runs: a line for each fact or setting, a column for each run."""
    facts = [_facts(row) for row in rows]
    names = list(dict.fromkeys(name for values in facts for name in values))
    table = [("", [row.run.name for row in rows])]
    for name in names:
        values = [known.get(name, "–") for known in facts]
        if len(set(values)) > 1:
            table.append((name, values))
    label_width = max(len(label) for label, _ in table)
    widths = [max(len(values[column]) for _, values in table) for column in range(len(rows))]
    return "\n".join(
        f"{label:<{label_width}}  " + "  ".join(f"{v:>{w}}" for v, w in zip(values, widths, strict=True)).rstrip()
        for label, values in table
    )


def _facts(row: RunRow) -> dict[str, str]:
    """Results, then text and device, then the settings."""
    progress, started = row.progress, row.progress.started
    best = f"{_best(row):.4f}" if _best(row) < math.inf else "–"
    facts = {"best val, nats/char": best, "… on batches of": batches_of(row) or "–", "steps done": f"{progress.step:,}"}
    if progress.last_step:
        facts["training time"] = duration(progress.last_step.train_seconds)
    if started:
        facts |= {"text": started.corpus, "parameters": f"{started.parameters:,}", "device": started.device}
        facts |= {"precision": started.precision, "threads": str(started.threads), "ranks": str(started.ranks)}
        facts["LSTM layers"] = started.lstm or "–"
        facts |= {name: value for name, value in settings_of(row).items() if name not in facts}
    return facts


def plain_setting(value: object) -> str:
    """The value of a setting as it is shown."""
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

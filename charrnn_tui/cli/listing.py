"""Facts as aligned lines, and the lines that say how a run stands."""

import math
import time
from collections.abc import Sequence
from typing import Any

from charrnn_tui.cli.output import DataStream
from charrnn_tui.cli.terminal_text import for_terminal
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.kept_checkpoints import kept_checkpoints
from charrnn_tui.run.quantities import bits, duration

Row = tuple[str, str]


def write_rows(stream: DataStream, rows: Sequence[Row]) -> None:
    """One line a fact, its label before it."""
    width = max(len(label) for label, _ in rows)
    for label, words in rows:
        stream.write(for_terminal(f"{label:<{width}}  {words}") + "\n")
    stream.flush()


def run_facts(run: RunDirectory) -> dict[str, Any]:
    """A run's figures under the keys that the documentation names."""
    checkpoint, kept = run.checkpoint_file(), kept_checkpoints(run.path)
    return {
        **run.progress().to_json(),
        "run": run.name,  # as its directory is called now, whatever it was called then
        "directory": str(run.path.absolute()),
        "trainer_pid": run.trainer(),
        "checkpoint": str(checkpoint.absolute()) if checkpoint else None,
        "kept_checkpoints": len(kept),
        "kept_steps": [one.step for one in kept],
    }


def run_rows(values: dict[str, Any]) -> list[Row]:
    """`run_facts` for people."""
    pid = f", by process {values['trainer_pid']}" if values["trainer_pid"] else ""
    reason = f": {values['reason']}" if values.get("reason") else ""
    rows = [("run", values["run"]), ("directory", values["directory"]), ("state", values["state"] + reason + pid)]
    if values.get("steps"):
        rows.append(("progress", f"step {values['step']:,} of {values['steps']:,}" + epoch_words(values)))
    if values.get("train_seconds"):
        place = f" on {values['device']}, {values['precision']}" if values.get("device") else ""
        speed = f"{values['chars_per_second']:,.0f} chars/s{place}"
        rows.append(("training time", f"{duration(values['train_seconds'])} at {speed}"))
    if values.get("eta_seconds") is not None:
        rows.append(("time left", duration(values["eta_seconds"])))
    if values.get("loss") is not None:
        rows.append(("training loss", f"{values['loss']:.4f} nats/char"))
    rows += loss_rows(values)
    if steps := values["kept_steps"]:
        rows.append(("kept checkpoints", f"{len(steps)}, of steps {steps[0]:,} to {steps[-1]:,}"))
    if values["updated"]:
        rows.append(("last event", f"{duration(max(0.0, time.time() - values['updated']))} ago"))
    return rows


def loss_rows(values: dict[str, Any]) -> list[Row]:
    """The validation losses that are known, each with the geometry that it depends on."""
    rows = []
    for label, key in (("val loss", "val_loss"), ("best val loss", "best_val_loss")):
        if values.get(key) is not None:
            geometry = f"{values.get('batch_size')} × {values.get('seq_length')}"
            rows.append((label, f"{loss_words(values[key])} at {geometry}"))
    return rows


def loss_words(loss: float) -> str:
    """A loss in the three units that people compare."""
    return f"{loss:.4f} nats/char ({bits(loss):.3f} bits/char, perplexity {math.exp(min(loss, 700)):.2f})"


def epoch_words(values: dict[str, Any]) -> str:
    """`, epoch 3 of 20`, where both are known."""
    return f", epoch {values['epoch']} of {values['epochs']}" if values.get("epoch") and values.get("epochs") else ""

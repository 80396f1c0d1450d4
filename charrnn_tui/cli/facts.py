"""Facts about models and runs (runner/facts.py) as labelled lines."""

from typing import Any

from charrnn_tui.cli.output import Row
from charrnn_tui.run.machine_share import MachineShare
from charrnn_tui.run.quantities import age, bits_per_byte, bits_text, duration, perplexity, size


def loss_text(loss: float, per_byte: float | None = None) -> str:
    """A loss in nats and bits per character, in bits per byte where they are known, and as perplexity."""
    return f"{loss:.4f} nats/char ({bits_text(loss, per_byte)}, perplexity {perplexity(loss):.2f})"


def run_rows(values: dict[str, Any]) -> list[Row]:
    """`run_facts` as labelled lines."""
    pid = f", by process {values['trainer_pid']}" if values["trainer_pid"] else ""
    reason = f": {values['reason']}" if values.get("reason") else ""
    rows = [("run", values["run"]), ("directory", values["directory"]), ("state", values["state"] + reason + pid)]
    if values.get("steps"):
        rows.append(("progress", step_text(values)))
    if values.get("train_seconds"):
        ranks = f"{values['ranks']} ranks of " if values.get("ranks", 1) > 1 else ""
        place = f" on {ranks}{values['device']}, {values['precision']}" if values.get("device") else ""
        speed = f"{values['chars_per_second']:,.0f} chars/s{place}"
        rows.append(("training time", f"{duration(values['train_seconds'])} at {speed}"))
    rows += machine_share_rows(values)
    if values.get("eta_seconds") is not None:
        rows.append(("time left", duration(values["eta_seconds"])))
    rows += loss_rows(values)
    if steps := values["kept_steps"]:
        rows.append(("kept checkpoints", f"{len(steps)}, of steps {steps[0]:,} to {steps[-1]:,}"))
    rows.append(("size", size(values["bytes"])))
    if values["updated"]:
        rows.append(("last event", age(values["updated"])))
    return rows


def machine_share_rows(values: dict[str, Any]) -> list[Row]:
    """The training's speed in its matrix products beside the machine's limit, if both are known."""
    if values.get("limit_share") is None:
        return []
    return [("matrix products", MachineShare(values["gflops"], values["limit_gflops"]).text)]


def step_text(values: dict[str, Any]) -> str:
    """`step 40 of 90, epoch 1 of 2`, as far as it is known."""
    of_steps = f" of {values['steps']:,}" if values.get("steps") else ""
    epoch = f", epoch {values['epoch']} of {values['epochs']}" if values.get("epoch") and values.get("epochs") else ""
    return f"step {values['step']:,}{of_steps}{epoch}"


def loss_rows(values: dict[str, Any]) -> list[Row]:
    """The losses that are known, those of a validation with the geometry that they depend on."""
    rows = []
    if values.get("loss") is not None:
        rows.append(("training loss", f"{values['loss']:.4f} nats/char"))
    for label, key in (("val loss", "val_loss"), ("best val loss", "best_val_loss")):
        if (loss := values.get(key)) is not None:
            geometry = f"{values.get('batch_size')} × {values.get('seq_length')}"
            bytes_per_char = values.get("bytes_per_char")
            per_byte = bits_per_byte(loss, bytes_per_char) if bytes_per_char else None
            rows.append((label, f"{loss_text(loss, per_byte)} at {geometry}"))
    return rows

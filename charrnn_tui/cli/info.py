"""`charrnn-tui info`: describe a checkpoint or a run."""

from pathlib import Path
from typing import Any

import click

from charrnn_tui.cli.facts import loss_rows, run_rows, step_text
from charrnn_tui.cli.options import json_option, model_names, runs_option
from charrnn_tui.cli.output import Row, write_facts
from charrnn_tui.cli.tokens import tokens_option
from charrnn_tui.run.directory import find_run
from charrnn_tui.run.quantities import nats_and_bits, size
from charrnn_tui.runner.facts import checkpoint_facts, run_facts
from charrnn_tui.runner.find_model import locate_checkpoint, open_checkpoint
from charrnn_tui.text.byte_text import ALL_BYTES
from charrnn_tui.text.text_settings import TextSettings


@click.command("info")
@click.argument("path", metavar="PATH", shell_complete=model_names)
@tokens_option
@runs_option
@json_option("Write one JSON object; a run's has its best checkpoint's under `checkpoint`.")
def info_command(path: str, tokens: list[str] | None, runs_dir: Path, as_json: bool) -> None:
    """Describe PATH: a checkpoint (.safetensors or .net), or a run by its name or directory."""
    run = find_run(runs_dir, path)
    if run is None:
        write_facts(_facts_of(locate_checkpoint(path, runs_dir), tokens), checkpoint_rows, as_json)
        return
    file = run.checkpoint_file()
    facts = {"kind": "run", **run_facts(run), "checkpoint": _facts_of(file) if file else None}
    write_facts(facts, lambda facts: run_rows(facts) + checkpoint_rows(facts["checkpoint"]), as_json)


def _facts_of(file: Path, tokens: list[str] | None = None) -> dict[str, Any]:
    return checkpoint_facts(file, open_checkpoint(file, tokens))


def checkpoint_rows(values: dict[str, Any] | None) -> list[Row]:
    """`checkpoint_facts` as labelled lines."""
    if values is None:
        return [("checkpoint", "none saved yet")]
    network = f"{values['cell'].upper()}, {values['n_layers']} × {values['n_hidden']} hidden units"
    rounded = f", weights rounded to {values['weights']}" if values["weights"] else ""
    rows = [
        ("checkpoint", values["path"]),
        ("format", f"{values['format']}, {size(values['bytes'])}{rounded}, sha256 {values['sha256']}"),
        ("model", f"{network}, {values['parameters']:,} parameters"),
        ("alphabet", _alphabet(values["alphabet"])),
    ]
    if values["step"] is not None:
        rows.append(("trained", step_text(values)))
    rows += loss_rows(values)
    rows.append(("uniform guessing", nats_and_bits(values["uniform_loss"])))
    if values["corpus"]:
        chars = f", {values['chars']:,} characters" if values["chars"] else ""
        ends = TextSettings.of(values["settings"]).said
        parts = (f"{values['corpus']}{chars}", ends, f"sha256 {values['corpus_sha256']}")
        rows.append(("corpus", ", ".join(filter(None, parts))))
    if values["device"]:
        rows.append(("trained on", f"{values['device']}, {values['precision']}"))
    if model := (values["settings"] or {}).get("init_from"):
        rows.append(("started from", model))
    if values["run"]:
        rows.append(("from run", values["run"]))
    return rows


def _alphabet(tokens: list[str]) -> str:
    if tuple(tokens) == ALL_BYTES:
        return "the 256 bytes"
    names = {"\n": "⏎", " ": "␣", "\t": "⇥"}
    return f"{len(tokens)} characters: " + "".join(names.get(token, token) for token in tokens)

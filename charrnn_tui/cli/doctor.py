"""`charrnn-tui doctor`: versions, devices, terminal, directories and speed of this machine."""

import importlib.metadata
import os
import platform
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from charrnn_tui import __version__
from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.cli.configuration import config_path, load_configuration
from charrnn_tui.cli.facts import machine_share_rows
from charrnn_tui.cli.options import json_option, runs_option
from charrnn_tui.cli.output import TERMINAL, Row, is_terminal, say, write_facts
from charrnn_tui.native.cores import available_cores
from charrnn_tui.run.config_file import ConfigError
from charrnn_tui.run.machine_share import machine_share
from charrnn_tui.run.quantities import size
from charrnn_tui.run.settings import TrainSettings
from charrnn_tui.runner.find_model import shipped_checkpoints
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.lstm_step import COMPILED
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.text.array_cache import LIMIT_BYTES, TEXTS, ArrayCache
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.text.vocabulary import Vocabulary

TRAINING_SECONDS, SAMPLING_SECONDS = 3.0, 1.0
TOKENS = 83  # the notebook's text has as many
_PACKAGES = ("torch", "numpy", "textual", "rich", "click", "safetensors", "platformdirs")
_MULTIPLEXERS = {"TMUX": "tmux", "STY": "screen", "ZELLIJ": "zellij"}


@click.command("doctor")
@click.option("--no-speed", is_flag=True, help="Leave out the speed check, which takes some seconds.")
@click.option(
    "--clear-texts", is_flag=True, help="Remove the stored encodings of long texts; a training makes them again."
)
@runs_option
@json_option("Write one JSON object.")
def doctor_command(no_speed: bool, clear_texts: bool, runs_dir: Path, as_json: bool) -> None:
    """Show versions, devices, terminal and directories, and check the speed.

    Exits with 1 if something is missing that training or writing needs.
    """
    if clear_texts:
        say(f"{size(ArrayCache(runs_dir / TEXTS).clear())} of encoded texts removed")
    values = {
        "versions": _versions(),
        "system": platform.platform(),
        "cores": available_cores(),
        "devices": _devices(),
        "ranks": _rank_backends(),
        "terminal": _terminal(),
        **_directories(runs_dir),
    }
    problems = [f"{name} is not installed" for name, version in values["versions"].items() if version is None]
    if not values["runs_dir_writable"]:
        problems.append(f"{runs_dir} cannot be written to")
    try:
        load_configuration()
    except ConfigError as error:
        problems.append(str(error))
    if not no_speed and values["versions"]["torch"] is not None:
        if is_terminal(sys.stderr):
            say("checking the speed…")
        values |= _speed()
    values["problems"] = problems
    write_facts(values, _rows, as_json)
    if problems:
        raise click.ClickException("; ".join(problems))


def _versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {"charrnn-tui": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return versions


def _devices() -> list[str]:
    try:
        from charrnn_tui.training.devices import device_reports  # torch: takes seconds
    except ImportError:
        return []
    return device_reports()


def _rank_backends() -> list[str]:
    try:
        from charrnn_tui.training.launch import rank_backends  # torch: takes seconds
    except ImportError:
        return []
    return rank_backends()


def _terminal() -> dict[str, Any]:
    columns, rows = shutil.get_terminal_size()
    return {
        "is_terminal": bool(sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty()),
        "term": os.environ.get("TERM", ""),
        "colorterm": os.environ.get("COLORTERM", ""),
        "no_color": "NO_COLOR" in os.environ,
        "columns": columns,
        "rows": rows,
        "encoding": TERMINAL.encoding,
        "ascii": TERMINAL.ascii,
        "ssh": "SSH_CONNECTION" in os.environ,
        "inside": next((name for variable, name in _MULTIPLEXERS.items() if os.environ.get(variable)), None),
    }


def _directories(runs_dir: Path) -> dict[str, Any]:
    there = next(path for path in (runs_dir.absolute(), *runs_dir.absolute().parents) if path.exists())
    return {
        "settings_file": str(config_path()),
        "settings_file_exists": config_path().exists(),
        "runs_dir": str(runs_dir),
        "runs_dir_writable": there.is_dir() and os.access(there, os.W_OK | os.X_OK),
        "free_bytes": shutil.disk_usage(there).free,
        "texts_bytes": ArrayCache(runs_dir / TEXTS).size,
        "texts_limit_bytes": LIMIT_BYTES,
        "shipped_checkpoints": [str(file) for file in shipped_checkpoints()],
    }


def _speed() -> dict[str, Any]:
    """Characters per second in training at the notebook's sizes, and in writing, with an untrained model."""
    from charrnn_tui.training.flops import flops_per_char, limit_gflops  # torch
    from charrnn_tui.training.learner import Learner
    from charrnn_tui.training.lstm_cell import compiled_cell

    settings = TrainSettings(val_frac=0.0)
    lstm = compiled_cell().description
    vocabulary = Vocabulary(chr(0x20 + number) for number in range(TOKENS))
    ids = np.random.default_rng(0).integers(TOKENS, size=settings.batch_size * settings.seq_length * 8)
    learner = Learner(settings, Corpus("speed check", ids.astype(vocabulary.dtype), vocabulary, ""))
    ends_at = time.perf_counter() + TRAINING_SECONDS
    steps = [learner.learn().seconds]
    while len(steps) < 3 or time.perf_counter() < ends_at:
        steps.append(learner.learn(until=learner.steps).seconds)
    chars_per_second = settings.batch_size * settings.seq_length / float(np.median(steps[1:]))
    flops = flops_per_char(TOKENS, settings.n_hidden, settings.n_layers)
    share = machine_share(chars_per_second, flops, limit_gflops(learner.placement))
    compiled = COMPILED.wait()
    checkpoint = Checkpoint(learner.weights(), vocabulary, settings.n_hidden, settings.n_layers)
    sampler = Sampler(CharModel(checkpoint), vocabulary, seed=0)
    started, written = time.perf_counter(), 0
    while time.perf_counter() < started + SAMPLING_SECONDS:
        next(sampler)
        written += 1
    return {
        "device": learner.placement.device,
        "device_name": learner.placement.device_name,
        "precision": learner.placement.precision,
        "threads": learner.placement.threads,
        "lstm": lstm,
        "compiled_writing": compiled,
        "train_chars_per_second": round(chars_per_second),
        **(share.to_json() if share else {}),
        "sample_chars_per_second": round(written / (time.perf_counter() - started)),
    }


def _rows(values: dict[str, Any]) -> list[Row]:
    rows = [(name, version or "NOT INSTALLED") for name, version in values["versions"].items()]
    rows += [("system", values["system"]), ("cores", f"{values['cores']} for this process")]
    rows += [("devices", ", ".join(values["devices"]) or "none without torch"), ("terminal", _terminal_text(values))]
    rows.append(("ranks", f"through {', '.join(values['ranks'])}" if values["ranks"] else "none with this PyTorch"))
    writable = "writable" if values["runs_dir_writable"] else "NOT WRITABLE"
    rows.append(("runs", f"{values['runs_dir']}, {writable}, {size(values['free_bytes'])} free"))
    rows.append(("settings file", values["settings_file"] + ("" if values["settings_file_exists"] else " (none)")))
    limit = f"at most {size(values['texts_limit_bytes'])}; --clear-texts removes them"
    rows.append(("encoded texts", f"{size(values['texts_bytes'])}, {limit}"))
    rows.append(("shipped models", ", ".join(values["shipped_checkpoints"]) or "none"))
    if "device" in values:
        place = f"{values['device_name']} ({values['device']}), {values['precision']}, threads {values['threads']}"
        rows += [("trains on", place), ("LSTM layers", values["lstm"])]
        rows.append(
            ("training", f"{values['train_chars_per_second']:,} chars/s, an LSTM of 2 × 512, batches 128 × 100")
        )
        rows += machine_share_rows(values)
        how = "compiled" if values["compiled_writing"] else "NumPy"
        rows.append(("writing", f"{values['sample_chars_per_second']:,} chars/s, the same LSTM, {how}"))
    return rows


def _terminal_text(values: dict[str, Any]) -> str:
    terminal = values["terminal"]
    if not terminal["is_terminal"]:
        return f"none (TERM={terminal['term'] or 'unset'}): the app needs one, the other commands do not"
    facts = [f"{terminal['columns']}×{terminal['rows']}", f"TERM={terminal['term'] or 'unset'}", terminal["encoding"]]
    if terminal["colorterm"]:
        facts.append(f"COLORTERM={terminal['colorterm']}")
    words = {"NO_COLOR": "no_color", "over SSH": "ssh", "drawn in ASCII": "ascii"}
    facts += [word for word, fact in words.items() if terminal[fact]]
    if terminal["inside"]:
        facts.append(f"inside {terminal['inside']}")
    return ", ".join(facts)

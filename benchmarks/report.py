"""Results on disk: a JSON file a subject, and one table of them all."""

import datetime
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import ROOT, Row


def results() -> Path:
    """Where they are kept; those of a machine with a GPU, which both sides then train on, in a place of their own."""
    import torch

    directory = ROOT / "benchmarks" / "results"
    return directory / "cuda" if torch.cuda.is_available() else directory


def machine() -> dict[str, Any]:
    """What the figures were taken on; nothing that names it."""
    import torch

    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "commit": commit or None,
        "date": datetime.date.today().isoformat(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def write_results(subject: str, title: str, rows: Iterable[Row], load_before: float) -> Path:
    """One subject's figures; load_before: the load average of the last minute, when they were begun."""
    path = results() / f"{subject}.json"
    path.parent.mkdir(exist_ok=True)
    values = {
        "subject": subject,
        "title": title,
        "machine": machine() | {"load_before": round(load_before, 2)},
        "rows": [row.as_json() for row in rows],
    }
    path.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def write_table(order: Iterable[str]) -> Path:
    """bench.md, of every subject that has results, each with the machine that it ran on."""
    lines = ["# Benchmarks", "", "Written by `make bench`. Ours and the yardstick are measured in turn, in one run:"]
    lines += ["median (least–most) of the rounds; a ratio is ours / yardstick of the same round.", ""]
    for subject in order:
        path = results() / f"{subject}.json"
        if path.is_file():
            lines += _section(json.loads(path.read_text(encoding="utf-8")))
    table = results() / "bench.md"
    table.write_text("\n".join(lines), encoding="utf-8")
    return table


def _section(values: Mapping[str, Any]) -> list[str]:
    facts = values["machine"]
    where = [facts["processor"], f"{facts['cores']} cores"] + ([facts["gpu"]] if facts["gpu"] else [])
    where += [f"torch {facts['torch']}", f"NumPy {facts['numpy']}", f"Python {facts['python']}"]
    where += [f"load {facts['load_before']} before", f"{facts['date']}", f"commit {facts['commit']}"]
    lines = [f"## {values['title']}", "", ", ".join(where), ""]
    lines += ["| what | ours | yardstick | ratio | goal |", "|---|---|---|---|---|"]
    lines += [line_of(row) for row in values["rows"]]
    return [*lines, ""]


def line_of(row: Mapping[str, Any]) -> str:
    """A row as a line of Markdown."""
    unit = f" {row['unit']}"
    theirs = "" if row["theirs"] is None else f"{_figures(row['theirs'])}{unit} ({row['yardstick']})"
    ratio = "" if row["ratio"] is None else f"**{_figures(row['ratio'])}×**"
    what = row["what"] + (f" – {row['note']}" if row["note"] else "")
    return f"| {what} | {_figures(row['ours'])}{unit} | {theirs} | {ratio} | {row['goal'] or ''} |"


def _figures(values: Mapping[str, Any]) -> str:
    if len(values["all"]) == 1:
        return _number(values["median"])
    return f"{_number(values['median'])} ({_number(values['least'])}–{_number(values['most'])})"


def _number(value: float) -> str:
    """Three significant digits, thousands apart."""
    return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 100 else f"{value:.3g}"

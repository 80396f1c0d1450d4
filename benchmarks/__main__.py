"""`make bench`: every subject, or `make bench ONLY=sampling,startup`. Writes benchmarks/results/."""

import argparse
import importlib
import os
import tempfile
import time
from pathlib import Path

SUBJECTS = (
    "training",
    "quality",
    "sampling",
    "encoding",
    "startup",
    "app_around_training",
    "scaling",
    "playground",
    "inside",
)
"""A module each, with TITLE and `measure(scratch: Path) -> Iterable[Row]`; one that is not there is left out."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks")
    parser.add_argument("--only", metavar="SUBJECTS", help=f"comma-separated, of {', '.join(SUBJECTS)}")
    chosen = parser.parse_args().only
    names = chosen.split(",") if chosen else SUBJECTS
    if strangers := sorted(set(names) - set(SUBJECTS)):
        parser.error(f"no such subject: {', '.join(strangers)}; there are {', '.join(SUBJECTS)}")
    # As the program itself does for writing, before NumPy is loaded; the notebook's threads are left as they are.
    os.environ.setdefault("OPENBLAS_DEFAULT_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "20")
    from benchmarks.measuring import Row
    from benchmarks.report import line_of, write_results, write_table

    for name in names:
        if not (Path(__file__).parent / f"{name}.py").is_file():
            continue
        subject = importlib.import_module(f"benchmarks.{name}")
        load, started, rows = os.getloadavg()[0], time.perf_counter(), list[Row]()
        print(f"{subject.TITLE} (load {load:.2f})", flush=True)
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            for row in subject.measure(Path(scratch)):
                rows.append(row)
                print(f"  {line_of(row.as_json())}", flush=True)
        if rows:
            print(f"  {write_results(name, subject.TITLE, rows, load).name}, {time.perf_counter() - started:.0f} s\n")
    print(write_table(SUBJECTS))


if __name__ == "__main__":
    main()

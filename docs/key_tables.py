"""Write the key tables of the guide from the KEYS declarations: `python docs/key_tables.py`, or `--check` only.

A table stands between `<!-- keys: PlayScreen -->` and `<!-- /keys -->`; a marker may name several classes.
"""

import re
import sys
from itertools import groupby
from pathlib import Path

from charrnn_tui.tui.keymap import declared_keys
from charrnn_tui.tui.keys import Key

PAGES = sorted(Path(__file__).parent.glob("*.md"))
_TABLE = re.compile(r"(<!-- keys: ([\w ]+) -->\n)(.*?)(<!-- /keys -->)", re.DOTALL)


def table(keys: list[Key]) -> str:
    """A row a key; consecutive keys with the same help sentence share one."""
    lines = ["| key | does |", "|---|---|"]
    for sentence, group in groupby(keys, key=lambda key: key.help):
        labels = dict.fromkeys(label for key in group for label in key.label.split())
        names = " ".join(f"`{label}`" for label in labels).replace("|", r"\|")
        lines.append(f"| {names} | {sentence} |")
    return "\n".join(lines) + "\n"


def written_anew(page: str) -> str:
    """The text of a page with the tables of today's declarations. Raises KeyError for an unknown class."""
    declared = declared_keys()

    def write(found: re.Match[str]) -> str:
        return found[1] + "\n" + table([key for name in found[2].split() for key in declared[name]]) + "\n" + found[4]

    return _TABLE.sub(write, page)


def undocumented(pages: list[Path]) -> set[str]:
    """The classes that declare keys and are in no table."""
    documented = {
        name for page in pages for found in _TABLE.finditer(page.read_text("utf-8")) for name in found[2].split()
    }
    return set(declared_keys()) - documented


def main() -> int:
    stale = [page for page in PAGES if page.read_text("utf-8") != written_anew(page.read_text("utf-8"))]
    problems = [f"{name}: declares keys and is in no table" for name in sorted(undocumented(PAGES))]
    if "--check" in sys.argv:
        problems += [f"{page.name}: its key tables are stale; run `make docs`" for page in stale]
    else:
        for page in stale:
            page.write_text(written_anew(page.read_text("utf-8")), "utf-8")
    print("\n".join(problems), end="\n" if problems else "")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())

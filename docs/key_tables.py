"""Writes the tables of keys in the guide from the keys that the app declares: python -m docs.key_tables"""

import re
from pathlib import Path
from typing import Final

from charrnn_tui.tui.app import StudioApp
from charrnn_tui.tui.chart.loss_chart import LossChart
from charrnn_tui.tui.compare.screen import CompareScreen
from charrnn_tui.tui.dialogs.branch_list import BranchList
from charrnn_tui.tui.keys import Key
from charrnn_tui.tui.play.inspector import Inspector
from charrnn_tui.tui.play.prime_field import PrimeField
from charrnn_tui.tui.play.prime_input import PrimeInput
from charrnn_tui.tui.play.screen import PlayScreen
from charrnn_tui.tui.runs.screen import RunsScreen
from charrnn_tui.tui.textview.text_view import TextView
from charrnn_tui.tui.train.sample_pane import SamplePane
from charrnn_tui.tui.train.screen import TrainScreen

PAGES: Final = [Path(__file__).with_name(name) for name in ("guide.md", "playground.md")]
TABLES: Final = {
    "app": StudioApp.KEYS,
    "branches": BranchList.KEYS,
    "chart": LossChart.KEYS,
    "inspector": Inspector.KEYS,
    "play": PlayScreen.KEYS,
    "prime": PrimeInput.KEYS + PrimeField.KEYS,
    "runs": RunsScreen.KEYS,
    "samples": SamplePane.KEYS,
    "side by side": CompareScreen.KEYS,
    "text": TextView.KEYS,
    "train": TrainScreen.KEYS,
}
_MARKED: Final = re.compile(r"(<!-- keys: ([a-z ]+) -->\n).*?(<!-- /keys -->)", re.DOTALL)


def with_tables(page: str) -> str:
    """The page with a new table between each `<!-- keys: NAME -->` and `<!-- /keys -->`."""
    return _MARKED.sub(lambda marked: marked[1] + _table(TABLES[marked[2]]) + marked[3], page)


def _table(keys: tuple[Key, ...]) -> str:
    rows = [f"| {_code(key.label)} | {key.help} |\n" for key in keys]
    return "".join(["| key | what it does |\n", "|---|---|\n", *rows])


def _code(label: str) -> str:
    return " ".join(f"`{key}`" for key in label.replace("|", r"\|").split())


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(with_tables(path.read_text("utf-8")), "utf-8")

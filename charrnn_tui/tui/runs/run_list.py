"""The list of runs: a row each, a cursor that stays on its run whatever the others do."""

from collections.abc import Sequence

from rich.text import Text
from textual.widgets import DataTable

from charrnn_tui.tui.chart.plot import overlay_letter
from charrnn_tui.tui.runs.runs_table import RunRow, cells_of


class RunList(DataTable[Text]):
    """Which rows, in which order and with which columns is said by others."""

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True)
        self.shown: Sequence[RunRow] = ()
        self._names: Sequence[str] = ()  # of the columns
        self._overlaid: Sequence[str] = ()

    @property
    def chosen(self) -> RunRow | None:
        """The run under the cursor."""
        return self.shown[self.cursor_row] if 0 <= self.cursor_row < len(self.shown) else None

    def show(self, rows: Sequence[RunRow], columns: Sequence[str], overlaid: Sequence[str]) -> None:
        """Update cells in place, so that the cursor stays; begin anew where rows have come, gone or moved.

        overlaid: names of the runs whose curves lie over the chart, in the order of their letters.
        """
        chosen, before, self._overlaid = self.chosen, [row.run.name for row in self.shown], overlaid
        if columns != self._names:
            self._names = columns
            self.clear(columns=True)
            for column in columns:
                self.add_column(column, key=column)
            before = []
        self.shown = rows
        names = [row.run.name for row in rows]
        if not before or before != names:
            self.clear()
            for row in rows:
                self.add_row(*self._cells(row), key=row.run.name)
            if chosen is not None and chosen.run.name in names:
                self.move_cursor(row=names.index(chosen.run.name))
            return
        for row in rows:
            for column, cell in zip(columns, self._cells(row), strict=True):
                if self.get_cell(row.run.name, column) != cell:
                    self.update_cell(row.run.name, column, cell, update_width=True)

    def _cells(self, row: RunRow) -> list[Text]:
        name = row.run.name
        letter = overlay_letter(self._overlaid.index(name)) if name in self._overlaid else ""
        words = cells_of(row, letter)
        return [Text(words[column], no_wrap=True) for column in self._names]

"""The table of runs: a row each; the cursor stays on its run while rows come, go and move."""

from collections.abc import Mapping, Sequence

from rich.text import Text
from textual.widgets import DataTable

from charrnn_tui.tui.runs.run_rows import BEST, TRAIN, RunRow, cells_of, settings_of, usual_batches


class RunsTable(DataTable[Text]):
    """Shows the rows and columns it is given."""

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True)
        self.shown: Sequence[RunRow] = ()
        self._column_names: Sequence[str] = ()

    @property
    def chosen(self) -> RunRow | None:
        """The run under the cursor."""
        return self.shown[self.cursor_row] if 0 <= self.cursor_row < len(self.shown) else None

    def show(self, rows: Sequence[RunRow], columns: Sequence[str], marks: Mapping[str, str]) -> None:
        """Update cells in place, or fill the table anew if rows or columns have come, gone or moved.

        marks: what stands before the names of runs, by name.
        """
        names, before, chosen = [row.run.name for row in rows], [row.run.name for row in self.shown], self.chosen
        if columns != self._column_names:
            self._column_names, before = columns, []
            self.clear(columns=True)
            for column in columns:
                unit = " nats" if column == BEST and TRAIN not in columns else ""  # else the line below names it
                self.add_column(column + unit, key=column)
        self.shown, usual = rows, usual_batches(rows)
        if names == before:
            self._update(marks, usual)
            return
        self.clear()
        for row in rows:
            self.add_row(*self._cells(row, marks, usual), key=row.run.name)
        if chosen is not None and chosen.run.name in names:
            self.move_cursor(row=names.index(chosen.run.name))

    def _update(self, marks: Mapping[str, str], usual: str) -> None:
        for row in self.shown:
            for column, cell in zip(self._column_names, self._cells(row, marks, usual), strict=True):
                if self.get_cell(row.run.name, column) != cell:
                    self.update_cell(row.run.name, column, cell, update_width=True)

    def _cells(self, row: RunRow, marks: Mapping[str, str], usual: str) -> list[Text]:
        cells = settings_of(row) | cells_of(row, marks.get(row.run.name, ""), usual)
        return [Text(cells.get(column, ""), no_wrap=True) for column in self._column_names]

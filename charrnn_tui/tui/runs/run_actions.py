"""What changes runs: pin, note, rename, delete."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from charrnn_tui.run.directory import RunError
from charrnn_tui.run.follower import RunFollowers
from charrnn_tui.run.quantities import size
from charrnn_tui.run.run_tags import files_of, read_tag, rename_run, write_tag
from charrnn_tui.tui.dialogs.questions import Choice, ChoiceDialog, TextDialog
from charrnn_tui.tui.runs.run_rows import RunRow
from charrnn_tui.tui.runs.runs_table import RunsTable

_MOST_LISTED = 12  # files or runs, in the question before they are deleted


class RunActions:
    """Asks what must be asked, changes a run on disk, and notifies the user if that fails."""

    def __init__(
        self,
        table: RunsTable,
        followers: RunFollowers,
        changed: Callable[[], None],
        renamed: Callable[[str, str], None],
    ) -> None:
        """changed: called after every attempt. renamed: called with the old and the new name."""
        self._table, self._followers, self._changed, self._renamed = table, followers, changed, renamed

    def pin(self, row: RunRow) -> None:
        """Pin a run, or unpin it."""
        tag = read_tag(row.run)  # not from the row: a key may be faster than the table
        self._attempt(lambda: write_tag(row.run, replace(tag, pinned=not tag.pinned)))

    def note(self, row: RunRow) -> None:
        def write(note: str | None) -> None:
            if note is not None:
                self._attempt(lambda: write_tag(row.run, replace(read_tag(row.run), note=note)))

        dialog = TextDialog(f"A note on {row.run.name}; leave it empty to remove the note.", row.tag.note)
        self._table.app.push_screen(dialog, write)

    def rename(self, row: RunRow) -> None:
        before = row.run.name

        def rename(name: str | None) -> None:
            if name is not None and name != before and self._attempt(lambda: rename_run(row.run, name)):
                self._followers.forget(row.run)
                self._renamed(before, name)

        self._table.app.push_screen(TextDialog(f"A new name for {before}.", before), rename)

    def delete(self, rows: Sequence[RunRow]) -> None:
        """Delete runs, unless one of them is pinned."""
        pinned = next((row.run.name for row in rows if read_tag(row.run).pinned), None)
        if pinned is not None:
            self._table.notify(f"{pinned} is pinned: p unpins it", severity="warning", markup=False)
            return

        def delete(answer: str | None) -> None:
            for row in rows if answer == "delete" else ():
                if self._attempt(row.run.delete):
                    self._followers.forget(row.run)

        question, choice = _deletion(rows), "delete it" if len(rows) == 1 else f"delete these {len(rows)} runs"
        self._table.app.push_screen(ChoiceDialog(question, [Choice("y", choice, "delete")]), delete)

    def _attempt(self, change: Callable[[], object]) -> bool:
        """Whether it succeeded."""
        try:
            change()
        except RunError as error:
            self._table.notify(str(error), severity="error", markup=False)
            return False
        finally:
            self._changed()
        return True


def _deletion(rows: Sequence[RunRow]) -> str:
    """The question, with what would be lost: the files of one run, or several runs."""
    if len(rows) > 1:
        total = size(sum(row.size_bytes for row in rows))
        runs = [(f"{row.run.name}: {_figures(row)}", row.size_bytes) for row in rows]
        return f"Delete {len(rows)} runs for good? {total}\n\n" + _listed(runs)
    (row,) = rows
    files = files_of(row.run)
    total = size(sum(file_bytes for _, file_bytes in files))
    return f"Delete the run {row.run.name} for good? {total}: {_figures(row)}\n{row.run.path}\n\n" + _listed(files)


def _figures(row: RunRow) -> str:
    best = row.progress.best_evaluation
    return f"{row.progress.step:,} steps" + (f", best val {best.val_loss:.4f} nats/char" if best else "")


def _listed(named: Sequence[tuple[str, int]]) -> str:
    """A line for each of the first, with its size; a line for the rest."""
    lines = [f"{size(byte_count):>8}  {name}" for name, byte_count in named[:_MOST_LISTED]]
    if len(named) > _MOST_LISTED:
        rest = sum(byte_count for _, byte_count in named[_MOST_LISTED:])
        lines.append(f"{size(rest):>8}  in {len(named) - _MOST_LISTED} more")
    return "\n".join(lines)

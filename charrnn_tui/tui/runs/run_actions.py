"""What changes runs: pin, note, rename, delete."""

from collections.abc import Callable
from dataclasses import replace

from charrnn_tui.run.directory import RunError
from charrnn_tui.run.follower import RunFollowers
from charrnn_tui.run.quantities import size
from charrnn_tui.run.run_tags import files_of, read_tag, rename_run, write_tag
from charrnn_tui.tui.dialogs.questions import Choice, ChoiceDialog, TextDialog
from charrnn_tui.tui.runs.run_rows import RunRow
from charrnn_tui.tui.runs.runs_table import RunsTable

_FILES_LISTED = 12  # at most, in the question before a run is deleted


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

    def delete(self, row: RunRow) -> None:
        """Delete a run, unless it is pinned."""
        if read_tag(row.run).pinned:
            self._table.notify(f"{row.run.name} is pinned: p unpins it", severity="warning", markup=False)
            return

        def delete(answer: str | None) -> None:
            if answer == "delete" and self._attempt(row.run.delete):
                self._followers.forget(row.run)

        self._table.app.push_screen(ChoiceDialog(_deletion(row), [Choice("y", "delete it", "delete")]), delete)

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


def _deletion(row: RunRow) -> str:
    """The question, with what would be lost."""
    files = files_of(row.run)
    listed = [f"{size(file_bytes):>8}  {name}" for name, file_bytes in files[:_FILES_LISTED]]
    if len(files) > _FILES_LISTED:
        rest = sum(file_bytes for _, file_bytes in files[_FILES_LISTED:])
        listed.append(f"{size(rest):>8}  in {len(files) - _FILES_LISTED} more")
    best = row.progress.best_evaluation
    figures = f"{row.progress.step:,} steps" + (f", best val loss {best.val_loss:.4f} nats/char" if best else "")
    total = size(sum(file_bytes for _, file_bytes in files))
    return f"Delete the run {row.run.name} for good? {total}: {figures}\n{row.run.path}\n\n" + "\n".join(listed)

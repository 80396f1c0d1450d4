"""The part of the runs screen that changes runs: pins, notes, names, and what is to go."""

from collections.abc import Callable
from dataclasses import replace

from textual.screen import Screen

from charrnn_tui.run.directory import RunDirectory, RunError
from charrnn_tui.run.quantities import size
from charrnn_tui.run.run_tags import RunTag, files_of, rename_run, write_tag
from charrnn_tui.tui.dialogs.questions import Choice, ChoiceDialog, TextDialog
from charrnn_tui.tui.runs.runs_table import RunRow

TIDYING = frozenset({"rename", "note", "pin", "delete"})
_MOST_FILES = 12  # that a dialog lists


class TidyingRuns(Screen[None]):
    """Acts on the chosen run. The screen that builds on it says which that is, and binds the keys."""

    @property
    def chosen(self) -> RunRow | None:
        """The run that the keys are for."""
        raise NotImplementedError

    def look(self) -> None:
        """Something may have changed."""
        raise NotImplementedError

    def renamed(self, before: str, name: str) -> None:
        """The run of that name goes by this one now."""

    def action_pin(self) -> None:
        if (row := self.chosen) is not None:
            self._change(lambda: write_tag(row.run, replace(row.tag, pinned=not row.tag.pinned)))

    def action_note(self) -> None:
        if (row := self.chosen) is None:
            return
        dialog = TextDialog(f"A note on {row.run.name}; nothing takes it away.", row.tag.note)
        self.app.push_screen(dialog, lambda note: self._note(row, note))

    def _note(self, row: RunRow, note: str | None) -> None:
        if note is not None:
            self._change(lambda: write_tag(row.run, RunTag(note, row.tag.pinned)))

    def action_rename(self) -> None:
        if (row := self.chosen) is None:
            return
        dialog = TextDialog(f"A new name for {row.run.name}.", row.run.name)
        self.app.push_screen(dialog, lambda name: self._rename(row.run, name))

    def _rename(self, run: RunDirectory, name: str | None) -> None:
        if name is not None and name != run.name and self._change(lambda: rename_run(run, name)):
            self.renamed(run.name, name)

    def action_delete(self) -> None:
        if (row := self.chosen) is None:
            return
        if row.tag.pinned:
            self.notify(f"{row.run.name} is pinned: p takes the pin off first", severity="warning", markup=False)
            return
        dialog = ChoiceDialog(_what_goes(row), [Choice("y", "delete it", "delete")])
        self.app.push_screen(dialog, lambda answer: self._delete(row.run, answer))

    def _delete(self, run: RunDirectory, answer: str | None) -> None:
        if answer == "delete":
            self._change(run.delete)

    def _change(self, change: Callable[[], object]) -> bool:
        """Whether it went well; if not, the user knows."""
        try:
            change()
        except RunError as error:
            self.notify(str(error), severity="error", markup=False)
            return False
        finally:
            self.look()
        return True


def _what_goes(row: RunRow) -> str:
    files = files_of(row.run)
    listed = [f"{size(file_bytes):>8}  {name}" for name, file_bytes in files[:_MOST_FILES]]
    if len(files) > _MOST_FILES:
        rest = sum(file_bytes for _, file_bytes in files[_MOST_FILES:])
        listed.append(f"{size(rest):>8}  in {len(files) - _MOST_FILES} more")
    best = row.progress.best_evaluation
    figures = f"{row.progress.step:,} steps" + (f", best val loss {best.val_loss:.4f} nats/char" if best else "")
    total = size(sum(file_bytes for _, file_bytes in files))
    return f"Delete the run {row.run.name} for good? {total}: {figures}\n{row.run.path}\n\n" + "\n".join(listed)

"""New alarms and the ends of the runs that the app follows."""

import time
from collections.abc import Callable
from typing import Any, Final

from textual.app import App
from textual.notifications import SeverityLevel

from charrnn_tui.run.config import DEFAULTS, Notifications
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.terminal_notice import POP_TITLE, PUSH_TITLE, notice_sequences, title_sequence
from charrnn_tui.tui.train.run_lines import ending_line

SERIOUS: Final = ("nan", "device", "disk", "ranks")


class RunNotifier:
    """Notifies the user by a bell, a toast, and the terminal's title, which a list of windows shows too."""

    def __init__(
        self, app: App[Any], write: Callable[[str], None], wanted: Notifications = DEFAULTS.notifications
    ) -> None:
        """write: writes a sequence to the terminal. Nobody is notified of what was before now."""
        self.ring, self.write, self._wanted = app.bell, write, wanted
        self._app = app
        self._since = time.time()
        self._notified: set[tuple[str, float, str]] = set()
        self._retitled = False

    def notify(self, name: str, progress: RunProgress) -> None:
        """Notify of the new alarms of the run with this name, and of its end, of each once."""
        for alarm in progress.alarms:
            if self._is_new(name, alarm.time, alarm.kind) and self._wanted.in_app:
                self.ring()
                self._show(f"{name}: {alarm.kind}", alarm.message, serious=alarm.kind in SERIOUS)
                self._write(title_sequence(f"! {name}: {alarm.kind}"))
        ending = progress.ending
        if ending is not None and ending.state != "stopped" and self._is_new(name, ending.time, ending.state):
            result = ending_line(progress)
            if self._wanted.in_app:
                self._show(name, result, serious=ending.state == "failed")
            if self._wanted.terminal:
                self._write(notice_sequences(name, result))

    def _is_new(self, name: str, when: float, kind: str) -> bool:
        known = when < self._since or (name, when, kind) in self._notified
        self._notified.add((name, when, kind))
        return not known

    def _show(self, title: str, message: str, *, serious: bool) -> None:
        severity: SeverityLevel = "error" if serious else "warning"
        self._app.notify(message, title=title, severity=severity, markup=False)

    def _write(self, sequences: str) -> None:
        self.write(("" if self._retitled else PUSH_TITLE) + sequences)
        self._retitled = True

    def restore_title(self) -> None:
        """Give the terminal the title back that it had before the first notification."""
        if self._retitled:
            self._retitled = False
            self.write(POP_TITLE)

"""New alarms of the runs on the screen."""

import time
from collections.abc import Callable
from typing import Any, Final

from textual.app import App
from textual.notifications import SeverityLevel

from charrnn_tui.run.events import AlarmRaised
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.run.terminal_notice import POP_TITLE, PUSH_TITLE, title_sequence

SERIOUS: Final = ("nan", "device", "disk")
TOAST_SECONDS: Final = 10.0


class AlarmNotifier:
    """Notifies the user by a bell, a toast, and the terminal's title, which a list of windows shows too."""

    def __init__(self, app: App[Any], write: Callable[[str], None]) -> None:
        """write: writes a sequence to the terminal. Alarms raised before now are not notified of."""
        self.ring, self.write = app.bell, write
        self._app = app
        self._since = time.time()
        self._notified: set[tuple[str, float, str]] = set()
        self._retitled = False

    def notify(self, name: str, progress: RunProgress) -> None:
        """Notify of the new alarms of the run with this name, of each once."""
        for alarm in progress.alarms:
            key = (name, alarm.time, alarm.kind)
            if alarm.time >= self._since and key not in self._notified:
                self._notified.add(key)
                self._notify(f"{name}: {alarm.kind}", alarm)

    def _notify(self, title: str, alarm: AlarmRaised) -> None:
        self.ring()
        severity: SeverityLevel = "error" if alarm.kind in SERIOUS else "warning"
        self._app.notify(alarm.message, title=title, severity=severity, timeout=TOAST_SECONDS, markup=False)
        self.write(("" if self._retitled else PUSH_TITLE) + title_sequence(f"! {title}"))
        self._retitled = True

    def restore_title(self) -> None:
        """Give the terminal the title back that it had before the first alarm."""
        if self._retitled:
            self._retitled = False
            self.write(POP_TITLE)

"""Completion of file names."""

import os
from pathlib import Path

from textual.suggester import Suggester

from charrnn_tui.text.demo import DEMO


class PathSuggester(Suggester):
    """Suggests the first entry of the directory that begins with what is typed, or the demo text.

    Directories end in a slash.
    """

    async def get_suggestion(self, value: str) -> str | None:
        """The completed path, or None."""
        if not value or DEMO.startswith(value):
            return DEMO if value else None
        path = Path(os.path.expanduser(value))
        folder, beginning = (path, "") if value.endswith("/") else (path.parent, path.name)
        try:
            names = sorted(entry.name + "/" * entry.is_dir() for entry in folder.iterdir())
        except OSError:
            return None
        for name in names:
            if name.startswith(beginning) and not (name.startswith(".") and not beginning):
                return value[: len(value) - len(beginning)] + name
        return None

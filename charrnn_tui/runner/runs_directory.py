"""Where runs are kept."""

import os
from pathlib import Path

RUNS_VARIABLE = "CHARRNN_TUI_RUNS"


def default_runs_directory() -> Path:
    """Where runs are kept when no option says so: CHARRNN_TUI_RUNS, or else the platform's place for users' data."""
    variable = os.environ.get(RUNS_VARIABLE)
    if variable:
        return Path(os.path.expanduser(variable))
    import platformdirs  # not needed by `--help` nor where a directory is named

    return platformdirs.user_data_path("charrnn-tui") / "runs"

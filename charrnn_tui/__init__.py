"""charrnn-tui: train a character-level LSTM in the terminal, watch it learn, and play with what it writes.

These names are the Python API, which docs/python.md describes. Each is imported when it is first used: `import
charrnn_tui` imports neither NumPy nor torch.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["Error", "Model", "Run", "Score", "events", "load", "runs", "train"]

if TYPE_CHECKING:
    from charrnn_tui.api import Error, Model, Run, Score, load, runs, train
    from charrnn_tui.run import events
else:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib
        import os

        from charrnn_tui.native.thread_waiting import limit_spinning

        limit_spinning(os.environ)  # before NumPy and torch are imported, which read it
        if name == "events":
            return importlib.import_module("charrnn_tui.run.events")
        return getattr(importlib.import_module("charrnn_tui.api"), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

"""The training of a process: its thread."""

import os
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from charrnn_tui.run.active_run import NICENESS, ActiveRun
from charrnn_tui.run.control import Control
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.events import Event


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads of a process have one priority")
def test_the_thread_that_trains_gives_way_to_the_screen(tmp_path: Path) -> None:
    found = []

    def events() -> Generator[Event, None, None]:
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        yield from ()

    before = os.getpriority(os.PRIO_PROCESS, 0)
    ActiveRun(RunDirectory(tmp_path / "run"), events(), Control()).join()
    assert found == [max(before, NICENESS)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before

"""For tests of compiled code: skipped where there is no compiler, failed where there is one and no library."""

import os
import shutil

import pytest

from charrnn_tui.native.library import SWITCH, BackgroundLibrary


def need(library: BackgroundLibrary) -> None:
    if not library.wait():
        assert os.environ.get(SWITCH) == "0" or shutil.which("cc") is None, "the library does not pass its check"
        pytest.skip("no C compiler here")

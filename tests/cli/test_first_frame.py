"""What is on the screen while the app's modules are imported."""

import gc
import os

import pytest

from charrnn_tui.cli.first_frame import first_frame
from charrnn_tui.runner.heavy_imports import heavy_imports

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there is none elsewhere")


@pytest.mark.parametrize("columns", [20, 80, 300])
def test_it_names_the_program_within_the_terminal(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", "24")
    with first_frame():
        sent = capfd.readouterr().out
    rows = [part.split("H", 1)[1] for part in sent.split("\x1b[") if "H" in part and ";" in part]
    assert rows[0].startswith(" charrnn-tui")
    assert len(rows) == 3
    assert all(len(row) <= columns for row in rows)
    assert capfd.readouterr().out == ""  # Textual has the terminal now, and gives it back itself


def test_what_fails_before_the_app_gives_the_terminal_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="full"), first_frame():
        raise OSError("the disk is full")
    sent = capfd.readouterr().out
    assert sent.index("\x1b[?1049h") < sent.index("\x1b[?1049l")
    assert sent.endswith("\x1b[?25h")


def test_garbage_is_collected_again_when_the_imports_are_done() -> None:
    with heavy_imports():
        assert not gc.isenabled()
    gc.unfreeze()
    assert gc.isenabled()

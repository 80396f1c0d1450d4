"""How states are written."""

from charrnn_tui.run.states import state_label, state_sign
from charrnn_tui.tui.chart.plot import BEST_MARK, CLIP_MARK, VALIDATION_MARK

STATES = ("preparing", "training", "paused", "finished", "stopped", "interrupted", "failed")


def test_each_state_has_its_own_sign_and_no_mark_of_the_chart_is_one() -> None:
    signs = [state_sign(state) for state in STATES]
    assert len({*signs, BEST_MARK, CLIP_MARK, VALIDATION_MARK}) == len(STATES) + 3
    assert "?" not in signs


def test_a_detached_run_trains_as_any_other() -> None:
    assert state_label("detached") == "● training, detached"
    assert state_label("training") == "● training"

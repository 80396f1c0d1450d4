"""The words of a run: what is left out where there is no room, and nothing is cut."""

import pytest
from msgspec.structs import replace

from charrnn_tui.run.events import RunFinished
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.train.run_lines import bar_lines, ending_line, fact_lines, place_line, status_parts
from tests.tui.scripted_training import evaluated, started, step_done


def progress_of(**facts: object) -> RunProgress:
    progress = RunProgress()
    for event in (started(**facts), step_done(400), evaluated(400, 1.25)):
        progress.add(event)
    return progress


@pytest.mark.parametrize("width", [40, 58, 78, 138])
def test_no_word_is_cut(width: int) -> None:
    progress = progress_of()
    progress.last_step = replace(step_done(400), eta_seconds=4 * 3600.0 + 47 * 60)
    whole = {word for line in lines(progress, 300) for word in line.split()}
    for line in lines(progress, width):
        assert len(line) <= width
        assert {word for word in line.split() if not set(word) & set("█─")} <= whole
    if width >= 58:
        assert "4 h 47 min left" in lines(progress, width)[2]


def lines(progress: RunProgress, width: int) -> list[str]:
    return [place_line(progress, "tiny-1", width), *bar_lines(progress, width), *fact_lines(progress, width, "353 MB")]


def test_losses_have_their_unit_and_the_batches_they_were_computed_on() -> None:
    losses, drive = fact_lines(progress_of(), 78)
    assert "val 1.2500 nats/char, 4×10" in losses
    assert "val 1.80 bits/char" in drive


def test_the_end_of_a_run_that_no_longer_improves_says_so() -> None:
    progress = progress_of()
    progress.add(RunFinished(time=0.0, step=400, state="finished", reason="no improvement in 3 validations"))
    assert ending_line(progress) == "finished: no improvement in 3 validations, best val 1.2500 nats/char, 4×10"
    assert "no improvement in 3 validations" in bar_lines(progress, 78)[1]


def test_memory_says_whose_it_is() -> None:
    assert "memory of this program 353 MB" in fact_lines(progress_of(), 100, "353 MB")[1]


def test_the_speed_stands_beside_the_machines_limit_where_80_columns_are() -> None:
    assert place_line(progress_of(), "tiny-1", 78).endswith("12k chars/s  94.8 GFLOP/s, 60 % of limit")
    assert place_line(progress_of(), "tiny-1", 58).endswith("12k chars/s")
    assert "limit" not in place_line(progress_of(limit_gflops=0.0), "tiny-1", 78)


def test_several_processes_stand_before_the_device() -> None:
    assert "2 ranks of cpu ×2 float32" in place_line(progress_of(ranks=2), "tiny-1", 78)


def test_a_detached_run_trains_as_any_other() -> None:
    progress = progress_of(detached=True)
    assert place_line(progress, "tiny-1", 78).startswith("tiny-1 ● training, detached")
    assert status_parts(progress, "tiny-1")[0] == "● tiny-1"

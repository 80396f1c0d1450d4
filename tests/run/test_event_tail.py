"""A long history folded at once is the one that is folded event by event."""

from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from charrnn_tui.run.event_tail import EventTail
from charrnn_tui.run.events import Event, RunPaused, RunStarted, to_line
from charrnn_tui.run.progress import RunProgress
from tests.run.test_events import ALL, evaluated, step_done

NUMBERS = st.floats(width=64) | st.sampled_from([0.0, -1.5e-300, 1e22, float("nan"), float("-inf"), 4.0])
STEPS = st.builds(
    lambda step, loss, time, eta: structs.replace(step_done(step, loss), time=time, eta_seconds=eta),
    st.integers(0, 10**12),
    NUMBERS,
    st.floats(0, 2e9),
    NUMBERS | st.none(),
)
LINES = st.one_of(
    STEPS.map(to_line),
    st.sampled_from(ALL).map(to_line),
    st.sampled_from(
        [
            '{"event": "step_done"}\n',
            "{torn\n",
            "\n",
            '{"event": "step_done", "time": 1, "step": 2',
            "7\n",
            to_line(step_done(3)).replace("0.1,", "0.1.1,"),
        ]
    ),
)


def folded_one_by_one(path: Path) -> RunProgress:
    progress = RunProgress()
    for event in EventTail(path).read():
        progress.add(event)
    return progress


@given(lines=st.lists(LINES, max_size=30), most=st.integers(1, 5000))
def test_folding_at_once_or_in_pieces_gives_what_reading_gives(
    lines: list[str], most: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("history") / "events.jsonl"
    path.write_text("".join(lines))
    expected = repr(folded_one_by_one(path))  # as words: NaN does not equal itself
    whole, pieces, tail = RunProgress(), RunProgress(), EventTail(path)
    assert not EventTail(path).fold(whole)
    while tail.fold(pieces, most):
        pass
    tail.fold(pieces, most)
    assert repr(whole) == expected
    assert repr(pieces) == expected


def test_each_folding_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    path, progress = tmp_path / "events.jsonl", RunProgress()
    tail = EventTail(path)
    assert not tail.fold(progress)  # not there yet
    written: list[Event] = [RunStarted(time=1.0, steps=9), *map(step_done, range(1, 5)), evaluated(4, 1.5, best=True)]
    path.write_text("".join(map(to_line, written)))
    tail.fold(progress)
    assert (progress.step, list(progress.steps), progress.total_steps) == (4, [1, 2, 3, 4], 9)
    with path.open("a") as file:
        file.write(to_line(step_done(5)) + to_line(RunPaused(time=9.0, step=5)) + to_line(step_done(6))[:20])
    tail.fold(progress)
    assert (progress.step, progress.state, progress.updated) == (5, "paused", 9.0)
    assert progress == folded_one_by_one(path)


def test_fifty_thousand_steps_are_folded_within_the_time_that_a_list_of_runs_has(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("".join(to_line(step_done(step)) for step in range(1, 50_001)))
    seconds = []
    for _ in range(5):
        begun, progress = process_time(), RunProgress()
        EventTail(path).fold(progress)
        seconds.append(process_time() - begun)
    assert progress.step == 50_000
    assert min(seconds) <= 0.4

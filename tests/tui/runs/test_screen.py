"""The list of runs: sorted, filtered, compared, tidied up."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import DataTable, Input

from charrnn_tui.run.directory import EventWriter, RunDirectory
from charrnn_tui.run.events import RunFinished, RunPaused
from charrnn_tui.run.follower import RunFollowers
from charrnn_tui.run.run_tags import read_tag
from charrnn_tui.tui.app import Opening, StudioApp
from charrnn_tui.tui.runs.run_rows import ORDERS, arranged, cells_of, columns_for, row_of, settings_diff
from tests.playground.scripted_backend import tiny_checkpoint
from tests.tui.pilot import screen_text, shows, until
from tests.tui.scripted_training import TrainingBackend, evaluated, started, step_done, write_events


def finished(
    backend: TrainingBackend, name: str, best: float, when: float, steps: int = 20, **settings: object
) -> None:
    events = [started(settings={"n_layers": 2, "n_hidden": 8, "lr": 0.001} | settings)]
    events += [step_done(step) for step in range(1, steps + 1)]
    events += [evaluated(10, best + 1), evaluated(steps, best)]
    write_events(
        RunDirectory(backend.runs_directory / name), [*events, RunFinished(time=when, step=steps, state="finished")]
    )


@pytest.fixture
def backend(tmp_path: Path) -> TrainingBackend:
    backend = TrainingBackend(tmp_path / "runs")
    finished(backend, "anna-1", 1.5, 100.0)
    finished(backend, "war-1", 1.3, 300.0, steps=30, lr=0.01)
    finished(backend, "bible-1", 1.9, 200.0)
    return backend


def names(app: StudioApp) -> list[str]:
    table = app.screen.query_one(DataTable)
    return [str(table.get_row_at(row)[0]) for row in range(table.row_count)]


async def shows_rows(pilot: Pilot[None], app: StudioApp, expected: list[str]) -> None:
    await until(pilot, lambda: app.screen_stack and app.screen.query(DataTable) and names(app) == expected)


async def test_runs_are_sorted_filtered_and_pinned(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("3")
        await shows_rows(pilot, app, ["war-1", "bible-1", "anna-1"])
        await shows(pilot, "sorted by newest")
        await pilot.press("s")
        await shows_rows(pilot, app, ["war-1", "anna-1", "bible-1"])
        await pilot.press("s")
        await shows_rows(pilot, app, ["anna-1", "bible-1", "war-1"])
        await pilot.press("p")
        await shows_rows(pilot, app, ["◆ war-1", "anna-1", "bible-1"])
        await pilot.press("slash", *"an")
        await shows_rows(pilot, app, ["anna-1"])
        await shows(pilot, "2 filtered out")
        await pilot.press("enter", "enter")
        await shows(pilot, "anna-1 ✓ finished")
        await pilot.press("3", "escape")
        await shows_rows(pilot, app, ["◆ war-1", "anna-1", "bible-1"])


async def test_the_runs_of_a_grid_are_shown_by_their_settings(backend: TrainingBackend) -> None:
    finished(backend, "war-2", 1.2, 400.0, lr=0.02)
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3", "slash", *"war", "enter", "c")
        await shows_rows(pilot, app, ["war-2", "war-1"])
        table = app.screen.query_one(DataTable)
        assert [str(column.label) for column in table.ordered_columns] == ["run", "best nats", "lr", "state"]
        assert [str(cell) for cell in table.get_row_at(0)] == ["war-2", "1.2000", "0.02", "✓ finished"]
        await pilot.press("c", "escape")
        await shows_rows(pilot, app, ["war-2", "war-1", "anna-1", "bible-1"])
        assert str(table.ordered_columns[2].label) == "step"


async def test_a_run_is_noted_and_renamed_and_keeps_its_history(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    app.NOTIFICATION_TIMEOUT = 60  # a busy machine may not look in time
    async with app.run_test(size=(130, 30), notifications=True) as pilot:
        await pilot.press("3")
        await shows_rows(pilot, app, ["war-1", "bible-1", "anna-1"])
        await pilot.press("n")
        await shows(pilot, "A note on war-1")
        await shows(pilot, "Enter confirms · Esc cancels")
        await pilot.press(*"peace", "enter")
        await shows(pilot, "war-1: peace")
        await pilot.press("N")
        await shows(pilot, "A new name for war-1")
        app.screen.query_one(Input).value = "bible-1"
        await pilot.press("enter")
        await shows(pilot, "there is a run of this name already")
        await pilot.press("N")
        await shows(pilot, "A new name for war-1")
        app.screen.query_one(Input).value = "and-peace"
        await pilot.press("enter")
        await shows_rows(pilot, app, ["and-peace", "bible-1", "anna-1"])
    renamed = RunDirectory(backend.runs_directory / "and-peace")
    assert read_tag(renamed).note == "peace"
    assert renamed.progress().step == 30


async def test_curves_are_laid_over_the_chart_and_settings_compared(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    app.NOTIFICATION_TIMEOUT = 60  # a busy machine may not look in time
    async with app.run_test(size=(200, 40), notifications=True) as pilot:
        await pilot.press("3")
        await shows_rows(pilot, app, ["war-1", "bible-1", "anna-1"])
        await pilot.press("d")
        await shows(pilot, "v chooses runs to compare")
        await pilot.press("v")
        await shows_rows(pilot, app, ["a) war-1", "bible-1", "anna-1"])
        await pilot.press("down", "down", "d")
        await shows(pilot, "best val, nats/char  1.5000  1.3000")
        assert "n_hidden" not in screen_text(app)
        await pilot.press("escape", "enter")
        await shows(pilot, "anna-1 ✓ finished")
        await shows(pilot, "a war-1 1.300")
        await pilot.press("3", "up", "up", "v")
        await shows_rows(pilot, app, ["war-1", "bible-1", "anna-1"])
        await pilot.press("1")
        await until(pilot, lambda: "a war-1" not in screen_text(app))


async def test_deleting_shows_what_goes_and_spares_what_is_pinned(backend: TrainingBackend) -> None:
    (backend.runs_directory / "war-1" / "best.safetensors").write_bytes(bytes(123_000))
    app = StudioApp(backend, Opening())
    app.NOTIFICATION_TIMEOUT = 60  # a busy machine may not look in time
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await pilot.press("3")
        await shows_rows(pilot, app, ["war-1", "bible-1", "anna-1"])
        await pilot.press("p", "x")
        await shows(pilot, "war-1 is pinned")
        await pilot.press("p")
        await shows_rows(pilot, app, ["war-1", "bible-1", "anna-1"])
        await pilot.press("x")
        await shows(pilot, "30 steps, best val 1.3000 nats/char")
        await shows(pilot, "123 kB  best.safetensors")
        await pilot.press("escape")
        assert len(backend.runs()) == 3
        await pilot.press("x")
        await shows(pilot, "Delete the run war-1")
        await pilot.press("y")
        await shows_rows(pilot, app, ["bible-1", "anna-1"])


async def test_several_runs_are_marked_and_deleted_at_once(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    app.NOTIFICATION_TIMEOUT = 60  # a busy machine may not look in time
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await pilot.press("3")
        await shows_rows(pilot, app, ["war-1", "bible-1", "anna-1"])
        await pilot.press("space", "space")
        await shows_rows(pilot, app, ["• war-1", "• bible-1", "anna-1"])
        await shows(pilot, "2 marked")
        await pilot.press("x")
        await shows(pilot, "Delete 2 runs for good?")
        await shows(pilot, "bible-1: 20 steps, best val 1.9000 nats/char")
        await pilot.press("y")
        await shows_rows(pilot, app, ["anna-1"])
    assert [run.name for run in backend.runs()] == ["anna-1"]


async def test_losses_on_other_batches_than_most_are_marked(backend: TrainingBackend) -> None:
    write_events(
        RunDirectory(backend.runs_directory / "other-1"),
        [started(), step_done(1), replace(evaluated(1, 1.1), batch_size=128, seq_length=100)],
    )
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("3")
        await shows(pilot, "losses in nats/char")
        await shows(pilot, "1.1000 ≠  128×100")
        await shows(pilot, "1.3000    4×10")
        await shows(pilot, "≠ not on 4×10 batches")


async def test_a_new_run_with_the_name_of_a_deleted_one_begins_with_its_own_events(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("3")
        await shows_rows(pilot, app, ["war-1", "bible-1", "anna-1"])
        await pilot.press("x")
        await shows(pilot, "Delete the run war-1")
        await pilot.press("y")
        await shows_rows(pilot, app, ["bible-1", "anna-1"])
        finished(backend, "war-1", 2.75, 400.0, steps=12)
        await shows_rows(pilot, app, ["war-1", "bible-1", "anna-1"])
        await shows(pilot, "2.7500")
        assert "1.3000" not in screen_text(app)


async def test_who_only_looks_changes_nothing(backend: TrainingBackend) -> None:
    run = RunDirectory(backend.runs_directory / "anna-1")
    app = StudioApp(backend, Opening(run=run, read_only=True))
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("3")
        await shows_rows(pilot, app, ["war-1", "bible-1", "anna-1"])
        await pilot.press("x", "p", "n", "N")
        await pilot.press("s")
        await shows(pilot, "sorted by best loss")
        assert not (run.path / "tag.json").exists()
        assert "Delete" not in screen_text(app)


def test_a_trainer_that_died_is_said_to_be_dead_and_one_that_lives_is_not(backend: TrainingBackend) -> None:
    run = write_events(RunDirectory(backend.runs_directory / "live-1"), [started(), step_done(1)])
    followers, lock = RunFollowers(), run.lock()
    assert row_of(run, followers).progress.state == "training"
    writer = EventWriter(run.events_file)
    writer.append(step_done(2))
    writer.close()
    row = row_of(run, followers)
    assert (row.progress.step, row.progress.state) == (2, "training")
    lock.release()
    while row_of(run, followers).progress.state == "training":  # it might be handed to another process
        pass
    assert row.progress.state == "interrupted"


@pytest.mark.parametrize("order", list(ORDERS))
def test_every_order_has_every_run(order: str, backend: TrainingBackend) -> None:
    rows = [row_of(run, RunFollowers()) for run in backend.runs()]
    rows.append(row_of(write_events(RunDirectory(backend.runs_directory / "empty-1"), []), RunFollowers()))
    assert {row.run.name for row in arranged(rows, order, "")} == {"anna-1", "war-1", "bible-1", "empty-1"}
    assert settings_diff(rows)


@pytest.mark.parametrize("width", [20, 60, 80, 100, 140, 300])
def test_the_columns_fit_the_screen(width: int, backend: TrainingBackend) -> None:
    cells = cells_of(row_of(backend.runs()[0], RunFollowers()))
    columns = columns_for(width)
    assert set(columns) <= set(cells)
    if width >= 60:
        assert sum(max(len(column), len(cells[column])) + 2 for column in columns) <= width


@pytest.mark.parametrize("by", ["key", "mouse"])
async def test_what_another_process_has_paused_is_played_with_as_it_is(backend: TrainingBackend, by: str) -> None:
    run = write_events(
        RunDirectory(backend.runs_directory / "away-1"), [started(), step_done(1), RunPaused(time=900.0, step=1)]
    )
    backend.checkpoints[run.last_file] = tiny_checkpoint(step=1)
    run.last_file.touch()
    lock = run.lock()
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "‖ paused")
        if by == "key":
            await pilot.press("2")
        else:
            await pilot.click("StudioHeader", offset=(12, 0))
        await shows(pilot, "away-1 · last")
    lock.release()

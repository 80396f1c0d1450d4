"""A grid of trainings: its combinations, the runs it finds again, and the processes that train them."""

from pathlib import Path

import pytest

from charrnn_tui.run.directory import RunError, find_run
from charrnn_tui.runner.grid import Grid, GridRun, Outcome, as_options, check_existing, grid_runs

TINY = {
    "preset": "quick",
    "n_hidden": 8,
    "n_layers": 1,
    "batch_size": 2,
    "seq_length": 10,
    "max_steps": 3,
    "sample_length": 5,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
    "output_bias": False,
}


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "alike.txt"
    path.write_text("All happy families are alike; every unhappy family is unhappy in its own way.\n" * 8, "utf-8")
    return path


def test_a_grid_has_every_combination_under_a_name_of_its_values() -> None:
    runs = grid_runs("my text", {"lr": [0.001, 0.01], "n_layers": [1, 2]}, {"epochs": 3})
    assert [run.name for run in runs] == [
        "my-text-lr0.001-n_layers1",
        "my-text-lr0.001-n_layers2",
        "my-text-lr0.01-n_layers1",
        "my-text-lr0.01-n_layers2",
    ]
    assert runs[3].given == {"epochs": 3, "lr": 0.01, "n_layers": 2}
    assert runs[3].values == {"lr": 0.01, "n_layers": 2}


def test_settings_are_given_to_the_process_as_options() -> None:
    assert as_options({"lr": 0.01, "output_bias": False, "exact_dropout": True}) == [
        *("--lr", "0.01"),
        "--no-output-bias",
        "--exact-dropout",
    ]


def test_each_run_is_trained_once(tmp_path: Path, text: Path) -> None:
    runs, grid = tmp_path / "runs", grid_runs("alike", {"lr": [0.01, 0.02]}, TINY)
    begun = list[str]()

    def trained() -> list[Outcome]:
        return Grid(runs, [str(text)], [], 2, on_start=lambda each, how: begun.append(f"{each.name} {how}")).train(grid)

    assert [outcome.problem for outcome in trained()] == ["", ""]
    assert sorted(begun) == ["alike-lr0.01 started", "alike-lr0.02 started"]
    found = [find_run(runs, each.name) for each in grid]
    assert [run and run.progress().state for run in found] == ["finished", "finished"]
    assert [run and run.read_settings()["settings"]["lr"] for run in found] == [0.01, 0.02]
    assert [outcome.problem for outcome in trained()] == ["", ""]
    assert len(begun) == 2  # they had ended


def test_a_grid_that_was_stopped_goes_on_where_its_runs_were(tmp_path: Path, text: Path) -> None:
    runs = tmp_path / "runs"
    grid = grid_runs("alike", {"lr": [0.01, 0.02]}, {**TINY, "max_steps": 1_000_000, "epochs": 1_000_000})
    stopping, lines = False, list[str]()

    def look() -> None:
        nonlocal stopping
        run = find_run(runs, "alike-lr0.01")
        stopping = stopping or (run is not None and run.progress().step > 0)

    def grid_of(limit: int) -> Grid:
        return Grid(
            runs,
            [str(text)],
            ["--max-steps", str(limit)] if limit else [],
            stopping=lambda: stopping,
            on_start=lambda each, how: lines.append(f"{each.name} {how}"),
        )

    assert [outcome.problem for outcome in grid_of(0).train(grid, look)] == [""]
    run = find_run(runs, "alike-lr0.01")
    assert run is not None
    step = run.progress().step
    assert run.progress().state == "interrupted"
    assert find_run(runs, "alike-lr0.02") is None
    stopping = False
    assert [outcome.problem for outcome in grid_of(step + 2).train(grid[:1])] == [""]
    assert lines == ["alike-lr0.01 started", f"alike-lr0.01 resumed at step {step:,}"]
    assert (run.progress().state, run.progress().step) == ("finished", step + 2)


def test_what_goes_wrong_in_a_run_is_said_and_the_others_are_trained(tmp_path: Path, text: Path) -> None:
    grid = [*grid_runs("alike", {"seq_length": [10_000, 10]}, TINY)]
    outcomes = Grid(tmp_path / "runs", [str(text)], []).train(grid)
    assert outcomes[0].problem.startswith("the text is too short")
    assert outcomes[1] == Outcome(grid[1])


def test_a_run_of_the_same_name_must_be_of_this_grid(tmp_path: Path, text: Path) -> None:
    runs, grid = tmp_path / "runs", grid_runs("alike", {"lr": [0.01]}, TINY)
    Grid(runs, [str(text)], []).train(grid)
    check_existing(grid, runs, [str(text)])
    other = [GridRun(grid[0].name, grid[0].values, {**grid[0].given, "n_hidden": 16})]
    with pytest.raises(RunError, match=r"alike-lr0\.01: there is a run of this name with --n-hidden 8, not 16"):
        check_existing(other, runs, [str(text)])
    with pytest.raises(RunError, match="of another text"):
        check_existing(grid, runs, [str(tmp_path / "other.txt")])

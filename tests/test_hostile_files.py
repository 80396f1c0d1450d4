"""Whatever a file says, a command ends in one line and an exit code, never in a traceback."""

import json
import shutil
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from charrnn_tui.cli.main import cli
from charrnn_tui.cli.training_report import bar_numbers, lines_for
from charrnn_tui.playground.session import SessionError, read_session
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.event_tail import EventTail
from charrnn_tui.run.events import RunStarted, to_line
from charrnn_tui.run.follower import RunFollowers
from charrnn_tui.run.progress import RunProgress
from charrnn_tui.tui.chart.axes import whole_run
from charrnn_tui.tui.chart.series import LossCurves
from charrnn_tui.tui.chart.view import ChartView, draw_chart
from charrnn_tui.tui.runs.run_rows import arranged, cells_of, row_of, settings_diff
from charrnn_tui.tui.train.run_lines import alarm_line, bar_lines, fact_lines, place_line, status_parts
from tests.cli.conftest import TINY, some_text
from tests.hostile_files import (
    TOKENS,
    Dice,
    hostile_net,
    hostile_resume,
    hostile_run,
    hostile_safetensors,
    with_fragment,
)
from tests.run.test_events import step_done

SLOW, FAST = 20_000, 160  # files
pytestmark = pytest.mark.filterwarnings("ignore:invalid escape sequence")  # of pickletools, for a damaged name
KINDS = ("safetensors", "net", "run", "recipe", "session")


def commands(kind: str, place: Path, text: Path) -> list[list[str]]:
    if kind == "run":
        return [["runs", "--json"], ["runs"], ["info", "anna-1"], ["watch", "anna-1", "--once"], ["sample", "anna-1"]]
    if kind == "recipe":
        return [["sample", "--recipe", str(place)]]
    export = ["export", str(place), str(place.with_name("out.safetensors")), "--force"]
    sample = ["sample", str(place), "--length", "5", "--prime", "a"]
    return [["info", str(place)], ["info", str(place), "--json"], sample, export, ["score", str(place), str(text)]]


def failed(arguments: list[str], runs: Path) -> str:
    """The traceback of a command that is no failure it knows; what it told otherwise must be one line."""
    result = CliRunner().invoke(cli, ["--runs-dir", str(runs), *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return "".join(traceback.format_exception(result.exception))
    errors = [line for line in result.stderr.splitlines() if "left out" not in line]
    if result.exit_code and (len(errors) != 1 or not errors[0].isprintable()):
        return f"{arguments}: {result.exit_code}: {result.stderr!r}"
    return ""


def draw_run(run: RunDirectory) -> None:
    """Everything that the app and the commands say of a run; raises whatever they raise."""
    row = row_of(run, RunFollowers())
    progress, told = row.progress, RunProgress()
    for event in EventTail(run.events_file).read():
        told.add(event)
        lines_for(event, told)
        bar_numbers(told, 80)
        assert told.validating in (True, False)
    cells_of(row)
    arranged([row, row], "state", "x")
    settings_diff([row, row])
    for width in (20, 80):
        bar_lines(progress, width)
        fact_lines(progress, width)
        alarm_line(progress, width)
        place_line(progress, "anna-1", width)
        status_parts(progress, "anna-1")
        curves = LossCurves.of(progress, overlays={"other": progress})
        first, last = curves.reach(overlays=True)
        for log in (False, True):
            window = whole_run(first, last, progress.total_steps or None)
            draw_chart(curves, ChartView(width, 24, window, log=log, crosshair=float(first)), None)


def test_a_run_that_says_hardly_anything_of_itself_is_drawn(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, "anna")
    run.events_file.write_text(to_line(RunStarted(time=0.0)) + to_line(step_done(0, loss=float("nan"))))
    draw_run(run)


@pytest.fixture
def check(tmp_path: Path, recipe: dict[str, Any], session: dict[str, Any]) -> Callable[[str, int], str]:
    """Makes the file of a kind and a seed, and gives what went wrong in the commands that read it."""
    text, runs = tmp_path / "text.txt", tmp_path / "runs"
    text.write_text("".join(TOKENS) * 3)

    def checked(kind: str, seed: int) -> str:
        dice, place = Dice(f"{kind} {seed}"), tmp_path / f"file.{kind}"
        if kind == "run":
            how = hostile_run(runs / "anna-1", dice)
        elif kind in ("recipe", "session"):
            how = "fragment"
            place.write_text(with_fragment(recipe if kind == "recipe" else session, dice))
        else:
            how = (hostile_net if kind == "net" else hostile_safetensors)(place, dice)
        if kind == "run":
            draw_run(RunDirectory(runs / "anna-1"))
        found = [failed(command, runs) for command in commands(kind, place, text)] if kind != "session" else []
        if kind == "session":
            try:
                read_session(place)
            except SessionError as error:
                found = [] if str(error).isprintable() else [str(error)]
        shutil.rmtree(runs, ignore_errors=True)
        return "".join(f"{kind} {seed} ({how}): {problem}\n" for problem in found if problem)

    return checked


@pytest.fixture
def recipe(tmp_path: Path) -> dict[str, Any]:
    return {
        "version": 1,
        "checkpoint": str(tmp_path / "model.safetensors"),
        "sha256": "0" * 64,
        "prime": "a",
        "length": 9,
        "seeds": [[0, 1]],
        "settings": [[0, {"temperature": 1.0, "top_k": 5, "top_p": None, "min_p": None}]],
        "forced": [[1, "a"]],
        "text_sha256": None,
    }


@pytest.fixture
def session(recipe: dict[str, Any]) -> dict[str, Any]:
    branch = {"model": {"kind": "file", "path": "/nowhere"}, "recipe": recipe, "text": "a" * 9, "origin": "start"}
    branch |= {"parent": None, "position": 0, "marks": [[1, "seed 2"]], "bookmarked": False}
    settings = {"top_k": 5, "temperature": 0.8, "seed": 42, "speed": 60, "length": 2000}
    return {"version": 1, "settings": settings, "prime": "a", "branches": [branch], "branch": branch, "current": 0}


def seeds(count: int) -> Iterator[tuple[str, int]]:
    return ((KINDS[number % len(KINDS)], number // len(KINDS)) for number in range(count))


def test_hostile_files_end_in_one_line(check: Callable[[str, int], str]) -> None:
    problems = [problem for kind, seed in seeds(FAST) if (problem := check(kind, seed))]
    assert not problems, f"{len(problems)} of {FAST}:\n" + "\n".join(problems[:5])


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(10))
def test_twenty_thousand_hostile_files_end_in_one_line(part: int, check: Callable[[str, int], str]) -> None:
    files = list(seeds(SLOW))[part::10]
    problems = [problem for kind, seed in files if (problem := check(kind, seed))]
    assert not problems, f"{len(problems)} of {len(files)}:\n" + "\n".join(problems[:20])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run that was stopped after three steps."""
    place = tmp_path_factory.mktemp("trained")
    (place / "happy.txt").write_text(some_text(2000))
    command = ["--runs-dir", str(place), "train", str(place / "happy.txt"), *TINY, "--max-steps", "3", "--json"]
    assert CliRunner().invoke(cli, [*command, "--name", "whole"]).exit_code == 0
    return place / "whole"


def resumed(trained: Path, seed: int) -> str:
    """What went wrong where a training goes on from a hostile resume state."""
    run, dice = trained.with_name("hostile"), Dice(seed)
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(trained, run)
    how = hostile_resume(run / "resume.pt", (trained / "resume.pt").read_bytes(), dice)
    problem = failed(["train", "--resume", "hostile", "--max-steps", "4", "--json"], run.parent)
    return f"{seed} ({how}): {problem}" if problem else ""


def test_hostile_resume_states_end_in_one_line(trained: Path) -> None:
    assert not [problem for seed in range(30) if (problem := resumed(trained, seed))]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_thousand_hostile_resume_states_end_in_one_line(trained: Path) -> None:
    problems = [problem for seed in range(1000) if (problem := resumed(trained, seed))]
    assert not problems, f"{len(problems)}:\n" + "\n".join(problems[:20])


def test_the_hostile_session_is_read_as_it_is(session: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "session.json").write_text(json.dumps(session))
    assert read_session(tmp_path / "session.json").prime == "a"

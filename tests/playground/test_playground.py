"""The playground, driven without a screen: states, facts, and what is written."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, cast

import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.playground.controls import DEFAULTS
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.models import ModelSource
from charrnn_tui.playground.playground import (
    Happened,
    MarkAdded,
    ModelChanged,
    Playground,
    PrimeChanged,
    SessionRestored,
    SettingsChanged,
    State,
    TextShown,
)
from charrnn_tui.playground.session import Session, read_session, session_of, write_session
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from tests.playground.scripted_backend import Clock, ScriptedBackend, ScriptedRun, tiny_checkpoint


class Driver:
    """Calls the playground as a screen would, and keeps what happened."""

    def __init__(self, backend: ScriptedBackend, run: ScriptedRun | None = None) -> None:
        self.clock = Clock()
        active_run = cast(Callable[[], ActiveRun | None], lambda: run)
        seeds = iter(range(99, 200))
        self.playground = Playground(
            backend, active_run, Jobs(), clock=self.clock, new_seed=lambda: next(seeds), symbol_of=repr
        )
        self.happened: list[Happened] = []

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end, "this never came to hold"
            self.clock.now += 0.05
            self.happened += self.playground.poll()
            self.playground.advance(0.01)
            time.sleep(0.001)

    def written(self, count: int) -> str:
        self.until(lambda: self.playground.writer.count >= count)
        return self.playground.writer.text

    def stopped_after(self, count: int) -> str:
        self.written(count)
        self.playground.stop()
        return self.playground.writer.text

    def facts(self, kind: type) -> list[Happened]:
        return [fact for fact in self.happened if isinstance(fact, kind)]


@pytest.fixture
def driver(backend: ScriptedBackend, shipped: Checkpoint) -> Driver:
    """Opening the shipped model."""
    driver = Driver(backend)
    driver.playground.open(None)
    return driver


def expected(checkpoint: Checkpoint, count: int, prime: str = "a", seed: int = 42, **settings: Any) -> str:
    chosen = SamplingSettings(**({"temperature": 0.8, "top_k": 5} | settings))
    sampler = Sampler(CharModel(checkpoint), checkpoint.vocabulary, chosen, seed=seed, prime=prime)
    return "".join(character.character for character in islice(sampler, count))


def test_it_has_no_model_then_loads_one_then_writes_then_rests(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    driver = Driver(backend)
    playground = driver.playground
    assert playground.state is State.NO_MODEL
    playground.open(None)
    assert playground.state is State.LOADING
    assert playground.status == "looking for a model"
    driver.until(lambda: playground.state is State.WRITING)
    driver.stopped_after(20)
    assert playground.state is State.RESTING
    kinds = [type(fact) for fact in driver.happened]
    assert kinds == [PrimeChanged, TextShown, ModelChanged]


def test_what_it_writes_is_what_a_sampler_writes(driver: Driver, shipped: Checkpoint) -> None:
    text = driver.stopped_after(40)
    assert driver.playground.prime == "Anna"  # the alphabet has only the a of it
    assert driver.playground.writer.prime == "a"
    assert text == expected(shipped, len(text))


def test_without_any_model_the_problem_says_what_to_do(backend: ScriptedBackend) -> None:
    driver = Driver(backend)
    driver.playground.open(None)
    driver.until(lambda: driver.playground.problem)
    assert "no model yet" in driver.playground.problem
    assert driver.playground.state is State.NO_MODEL


def test_a_changed_control_acts_on_the_next_character_and_leaves_a_mark(driver: Driver, shipped: Checkpoint) -> None:
    before = driver.stopped_after(30)
    driver.playground.change(replace(driver.playground.settings, top_k=10))
    driver.playground.go_on()
    after = driver.written(60)
    assert after.startswith(before)
    (fact,) = driver.facts(MarkAdded)
    assert isinstance(fact, MarkAdded)
    assert fact.mark == (1 + len(before), "top-k 10")


def test_another_seed_starts_over(driver: Driver, shipped: Checkpoint) -> None:
    driver.stopped_after(30)
    driver.playground.reroll()
    text = driver.stopped_after(30)
    assert text == expected(shipped, len(text), seed=99)
    assert driver.playground.settings.seed == 99
    assert SettingsChanged(driver.playground.settings) in driver.happened


def test_with_replay_on_a_change_writes_the_whole_text_again(driver: Driver, shipped: Checkpoint) -> None:
    count = len(driver.stopped_after(30))
    playground = driver.playground
    playground.change(replace(playground.settings, replay=True))
    playground.change(replace(playground.settings, temperature=1.2))
    assert playground.state is State.REPLAYING
    assert playground.status.startswith("replaying: ")
    driver.until(lambda: playground.state is State.RESTING)
    assert playground.writer.text == expected(shipped, count, temperature=1.2)
    assert not driver.facts(MarkAdded)
    shown = driver.facts(TextShown)[-1]
    assert isinstance(shown, TextShown)
    assert shown.keep_place


def test_switching_replay_off_drops_the_text_being_replayed(driver: Driver) -> None:
    text = driver.stopped_after(30)
    playground = driver.playground
    playground.change(replace(playground.settings, replay=True))
    playground.change(replace(playground.settings, temperature=1.2))
    playground.change(replace(playground.settings, replay=False))
    assert playground.state is State.RESTING
    assert playground.writer.text == text


def test_a_fork_can_be_undone_and_redone_with_its_settings(driver: Driver) -> None:
    first = driver.stopped_after(30)
    playground = driver.playground
    generated = playground.writer.generated
    assert generated is not None
    assert playground.fork(10, (generated.ids[10] + 1) % 10) == ""
    second = driver.stopped_after(30)
    assert first[:10] == second[:10]
    assert first[10] != second[10]
    assert playground.undo().startswith("undone")
    assert playground.writer.text == first
    assert playground.redo().startswith("again")
    assert playground.writer.text == second
    assert playground.delete().startswith("deleted")
    assert playground.delete() == "this is the only text there is"


def test_a_fork_behind_the_end_of_another_text_is_refused(driver: Driver) -> None:
    driver.stopped_after(30)
    driver.playground.start_over()
    assert "another text is shown now" in driver.playground.fork(25, 0)


def test_an_edit_shares_what_both_texts_begin_with(driver: Driver) -> None:
    text = driver.stopped_after(30)
    assert driver.playground.edit(5, text[5:8] + "fad") == ""
    edited = driver.stopped_after(30)
    assert edited.startswith(text[:8] + "fad")


def test_a_typed_prime_stays_when_another_model_is_opened(driver: Driver, backend: ScriptedBackend) -> None:
    driver.stopped_after(10)
    driver.playground.change_prime("bad")
    driver.until(lambda: driver.playground.writer.prime == "bad")
    other = backend.put(backend.runs_directory.parent / "other.safetensors", tiny_checkpoint(seed=3))
    driver.playground.open(ModelSource("file", other))
    driver.until(lambda: driver.playground.model is not None and driver.playground.model.source.path == other)
    assert driver.playground.writer.prime == "bad"


def test_newer_weights_of_a_training_go_on_with_the_text(backend: ScriptedBackend) -> None:
    run = ScriptedRun(backend.add_run("mine-1", tiny_checkpoint()))
    driver = Driver(backend, run)
    playground = driver.playground
    playground.open(ModelSource("live", run.directory.path))
    assert playground.status == "waiting for the trainer's weights"
    driver.until(lambda: run.answer(tiny_checkpoint(step=10)))
    before = driver.written(20)
    driver.until(lambda: run.answer(tiny_checkpoint(seed=1, step=20)))
    driver.until(lambda: driver.facts(MarkAdded))
    assert playground.model is not None
    assert playground.model.step == 20
    assert driver.written(len(before) + 20).startswith(before)
    generated = playground.writer.generated
    assert generated is not None
    assert generated.mixed


def test_a_training_that_ends_before_it_answers_is_played_from_its_last_checkpoint(backend: ScriptedBackend) -> None:
    run = ScriptedRun(backend.add_run("mine-1", tiny_checkpoint()))
    backend.checkpoints[run.directory.last_file] = tiny_checkpoint(step=30)
    driver = Driver(backend, run)
    driver.playground.open(ModelSource("live", run.directory.path))
    run.done = True
    driver.written(10)
    assert driver.playground.model is not None
    assert driver.playground.model.source.kind == "last"


def saved_session(driver: Driver, path: Path, file: Path) -> Session:
    playground = driver.playground
    write_session(path, session_of(playground.tree, playground.settings, playground.prime, lambda model: file))
    return read_session(path)


def test_a_session_comes_back_with_its_texts_and_settings(backend: ScriptedBackend, file: Path, tmp_path: Path) -> None:
    driver = Driver(backend)
    driver.playground.open(ModelSource("file", file))
    driver.playground.change_prime("bad")
    driver.until(lambda: driver.playground.writer.prime == "bad")
    first = driver.stopped_after(30)
    assert driver.playground.fork(10, 3) == ""
    driver.playground.change(replace(driver.playground.settings, top_k=7))
    second = driver.stopped_after(30)
    session = saved_session(driver, tmp_path / "session.json", file)

    again = Driver(backend)
    again.playground.restore(session)
    assert again.playground.state is State.RESTORING
    again.until(lambda: again.facts(SessionRestored))
    assert again.playground.state is State.RESTING
    assert again.playground.prime == "bad"
    assert again.playground.settings.top_k == 7
    assert again.playground.writer.text == second
    assert [branch.generated.text for branch in again.playground.tree] == [first, second]
    assert again.facts(SessionRestored) == [SessionRestored(())]


def test_closing_ends_its_own_jobs_and_no_others(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    jobs, worked = Jobs(), list[str]()
    playground = Playground(backend, lambda: None, jobs)
    playground.open(None)
    jobs.submit("somebody else's", lambda token: "done", worked.append)
    playground.close()
    assert playground.state is State.NO_MODEL
    assert playground.settings == DEFAULTS
    end = time.monotonic() + 20
    while not worked and time.monotonic() < end:
        jobs.drain()
    assert worked == ["done"]


def ends(text: str, stop: str) -> list[int]:
    """Where each of the occurrences of a stop ends, none overlapping with another."""
    places, at = [], 0
    while (at := text.find(stop, at) + len(stop)) >= len(stop):
        places.append(at)
    return places


def test_with_replay_on_a_text_that_its_stop_ended_is_written_up_to_it_again(
    driver: Driver, shipped: Checkpoint
) -> None:
    driver.stopped_after(5)
    playground, stop = driver.playground, expected(shipped, 60)[40]
    playground.change(replace(playground.settings, stop=stop, replay=True, speed=None))
    playground.start_over()
    driver.until(lambda: playground.writer.at_stop)
    assert playground.writer.text == expected(shipped, 2000)[: ends(expected(shipped, 2000), stop)[0]]
    playground.go_on()
    driver.until(lambda: playground.writer.at_stop)  # the second of them
    for temperature in (0.1, 1.7):
        playground.change(replace(playground.settings, temperature=temperature))
        driver.until(lambda: playground.state is State.RESTING)
        again = expected(shipped, 2000, temperature=temperature)
        places = ends(again, stop)
        assert playground.writer.text == again[: places[1] if len(places) > 1 else 2000]
        assert playground.writer.at_stop == (len(places) > 1)


def test_a_banned_character_is_not_written_from_the_next_one_on_and_leaves_a_mark(
    driver: Driver, shipped: Checkpoint
) -> None:
    driver.stopped_after(30)
    playground, before = driver.playground, driver.playground.writer.count
    banned = playground.writer.text[-1]
    playground.change(replace(playground.settings, ban=banned))
    playground.go_on()
    text = driver.stopped_after(before + 100)
    assert banned in text[:before]
    assert banned not in text[before:]
    assert [mark.mark.label for mark in driver.facts(MarkAdded)] == [f'ban "{banned}"']
    distribution = playground.distribution_at(before)
    assert distribution.after_at(distribution.place_of(shipped.vocabulary.index[banned])) == 0


def test_where_nothing_may_be_written_the_problem_says_so_and_a_change_ends_it(driver: Driver) -> None:
    driver.stopped_after(10)
    playground, count = driver.playground, driver.playground.writer.count
    everything = replace(playground.settings, ban="\n abcdefgh")
    with pytest.raises(ValueError, match="ban leaves no character"):
        playground.check(everything)
    playground.change(everything)  # as another model's settings may be
    playground.go_on()
    driver.until(lambda: playground.problem)
    assert "ban leaves no character" in playground.problem
    assert playground.distribution is None
    assert playground.distribution_at(0).kept == 5
    playground.change(replace(playground.settings, ban=None))
    playground.go_on()
    driver.written(count + 10)
    assert not playground.problem


def test_a_session_brings_back_stops_bans_and_the_penalty_and_older_sessions_have_none(
    backend: ScriptedBackend, file: Path, tmp_path: Path
) -> None:
    driver = Driver(backend)
    playground = driver.playground
    playground.open(ModelSource("file", file))
    driver.stopped_after(5)
    controls = replace(playground.settings, stop="a", ban="b", only="abc", dry=0.8, speed=None)
    playground.change(controls)
    playground.go_on()
    driver.until(lambda: playground.writer.at_stop)
    saved = saved_session(driver, tmp_path / "session.json", file)
    assert saved.settings == controls
    recipe = saved.branches[saved.current].steps
    assert recipe.settings[max(recipe.settings)] == controls.sampling
    values = json.loads((tmp_path / "session.json").read_text("utf-8"))
    for name in ("stop", "ban", "only", "dry", "dry_length"):
        del values["settings"][name]
    (tmp_path / "session.json").write_text(json.dumps(values), encoding="utf-8")
    assert read_session(tmp_path / "session.json").settings == replace(DEFAULTS, speed=None)

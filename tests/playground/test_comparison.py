"""Two texts under two settings or by two models, without a screen."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.playground.comparison import (
    ENOUGH,
    MOST,
    MOST_MODELS,
    Comparison,
    ModelCache,
    shared_length,
)
from charrnn_tui.playground.controls import BAN, DEFAULTS, LENGTH, STOP, TEMPERATURE, TOP_K, PlaySettings
from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.playground.models import ModelSource, load_model
from charrnn_tui.run.active_run import ActiveRun
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.kept_checkpoints import kept_file
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.text.vocabulary import Ids, Vocabulary
from tests.playground.rationed_jobs import RationedJobs
from tests.playground.scripted_backend import ALPHABET, Clock, ScriptedBackend, ScriptedRun, tiny_checkpoint

SETTINGS = replace(DEFAULTS, length=200)
WAIT_SECONDS = 30.0


def expected(checkpoint: Checkpoint, settings: PlaySettings = SETTINGS, prime: str = "abc") -> str:
    model = CharModel(checkpoint)
    sampler = Sampler(
        model,
        checkpoint.vocabulary,
        settings.sampling,
        seed=settings.seed,
        prime=checkpoint.vocabulary.known_part(prime),
    )
    return "".join(written.character for written in islice(sampler, settings.length))


def comparison_of(
    backend: ScriptedBackend,
    source: ModelSource,
    settings: PlaySettings = SETTINGS,
    *,
    run: ScriptedRun | None = None,
    jobs: Jobs | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Comparison:
    cache = ModelCache(backend, lambda: cast(ActiveRun | None, run))
    seeds = count(99)
    comparison = Comparison(
        cache,
        Jobs() if jobs is None else jobs,
        load_model(source, backend),
        "abc",
        settings,
        lambda: next(seeds),
        clock,
    )
    comparison.write()
    return comparison


def until(comparison: Comparison, condition: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        comparison.poll()
        assert time.monotonic() < end, "this never came to hold"
        time.sleep(0.001)


def written(comparison: Comparison) -> tuple[str, str]:
    """Both texts, once they are written."""
    until(comparison, lambda: not comparison.busy)
    one, other = comparison.sides
    return one.text, other.text


@pytest.fixture
def shipped(backend: ScriptedBackend) -> ModelSource:
    return ModelSource("shipped", backend.ship(tiny_checkpoint(val_loss=1.284)))


@pytest.fixture
def run(backend: ScriptedBackend) -> RunDirectory:
    """A run whose best model, of step 12, lies between two that it has kept."""
    run = backend.add_run("lazy", tiny_checkpoint(seed=12, step=12, steps=40, epoch=2, val_loss=1.5))
    (run.path / "checkpoints").mkdir()
    for step in (0, 1, 9, 40):
        facts = {"step": step, "steps": 40, "epoch": 1 + step // 10, "last_val_loss": 2.5 - step / 40}
        kept_file(run.path, step).touch()
        backend.checkpoints[kept_file(run.path, step)] = tiny_checkpoint(
            seed=step, last_val_step=step // 8 * 8, **facts
        )
    return run


def test_texts_part_where_their_characters_do() -> None:
    assert shared_length("happy", "happy") == 5
    assert shared_length("happy", "hapless") == 3
    assert shared_length("happy families", "happy") == 5
    assert shared_length("", "happy") == shared_length("a", "b") == 0


def test_a_cache_keeps_the_models_that_were_used_last(backend: ScriptedBackend) -> None:
    cache, token = ModelCache(backend), CancelToken()
    sources = [ModelSource("file", Path(f"{number}.safetensors")) for number in range(MOST_MODELS + 1)]
    for number, source in enumerate(sources):
        backend.checkpoints[source.path] = tiny_checkpoint(seed=number)
    models = [cache.get(source, token) for source in sources]
    backend.checkpoints.clear()
    assert [cache.get(source, token) for source in sources[1:]] == models[1:]
    with pytest.raises(ValueError, match=r"0\.safetensors: no such file"):
        cache.get(sources[0], token)


def test_both_sides_begin_with_the_same_text(backend: ScriptedBackend, shipped: ModelSource) -> None:
    comparison = comparison_of(backend, shipped)
    text = expected(backend.checkpoints[shipped.path])
    assert written(comparison) == (text, text)
    assert comparison.shared is None
    assert comparison.side.letter == "B"


def test_a_control_changes_the_chosen_side_alone(backend: ScriptedBackend, shipped: ModelSource) -> None:
    comparison = comparison_of(backend, shipped)
    warmer = replace(SETTINGS, temperature=0.9)
    comparison.set_control(TEMPERATURE, warmer)
    checkpoint = backend.checkpoints[shipped.path]
    one, other = written(comparison)
    assert (one, other) == (expected(checkpoint), expected(checkpoint, warmer))
    shared = comparison.shared
    assert shared is not None
    assert one[:shared] == other[:shared]
    assert one[shared] != other[shared]
    assert comparison.differing_controls == [TEMPERATURE]


def test_linked_controls_act_on_both_sides_and_leave_their_differences(
    backend: ScriptedBackend, shipped: ModelSource
) -> None:
    comparison = comparison_of(backend, shipped)
    comparison.set_control(TEMPERATURE, replace(SETTINGS, temperature=0.85))
    comparison.linked = True
    comparison.set_control(TOP_K, replace(SETTINGS, top_k=3))
    one, other = comparison.sides
    assert (one.settings.top_k, other.settings.top_k) == (3, 3)
    assert (one.settings.temperature, other.settings.temperature) == (0.8, 0.85)
    comparison.linked, comparison.chosen = False, 0
    comparison.set_control(TOP_K, replace(SETTINGS, top_k=2))
    assert (one.settings.top_k, other.settings.top_k) == (2, 3)


def test_seed_and_length_are_the_same_on_both_sides(backend: ScriptedBackend, shipped: ModelSource) -> None:
    comparison = comparison_of(backend, shipped)
    comparison.reroll()
    text = expected(backend.checkpoints[shipped.path], replace(SETTINGS, seed=99))
    assert written(comparison) == (text, text)
    comparison.set_control(LENGTH, replace(SETTINGS, length=500))
    assert [len(text) for text in written(comparison)] == [500, 500]


def test_swapped_sides_exchange_their_texts(backend: ScriptedBackend, shipped: ModelSource) -> None:
    comparison = comparison_of(backend, shipped)
    assert comparison.swap() == "both sides have the same model and settings"
    comparison.set_control(TEMPERATURE, replace(SETTINGS, temperature=0.85))
    one, other = written(comparison)
    assert comparison.swap() == ""
    assert written(comparison) == (other, one)


def test_characters_of_the_prime_that_one_alphabet_lacks_are_skipped_there(
    backend: ScriptedBackend, shipped: ModelSource
) -> None:
    path = Path("other.safetensors")
    backend.checkpoints[path] = other = tiny_checkpoint(alphabet="\n abx", seed=3)
    comparison = comparison_of(backend, shipped)
    comparison.use(load_model(ModelSource("file", path), backend))
    comparison.set_prime("ax")
    texts = expected(backend.checkpoints[shipped.path], prime="ax"), expected(other, prime="ax")
    assert written(comparison) == texts
    shown = [side.shown for side in comparison.sides]
    assert [(text.prime, text.unknown) for text in shown if text is not None] == [("a", ("x",)), ("ax", ())]


def test_a_side_steps_through_the_checkpoints_of_its_run(backend: ScriptedBackend, run: RunDirectory) -> None:
    comparison = comparison_of(backend, ModelSource("best", run.path))
    written(comparison)
    stage = comparison.side.stage
    assert stage is not None
    assert (list(stage.steps), stage.step) == ([0, 1, 9, 40], 12)
    assert stage.facts == ["step 12 of 40", "epoch 2", "val 1.500 nats/char"]
    reached = []
    for move in (-1, 1, 1, -1, -1, -1, -1):
        comparison.step_by(move)
        texts = written(comparison)
        assert comparison.side.stage is not None
        reached.append(comparison.side.stage.step)
        assert texts[1] == expected(backend.checkpoints[kept_file(run.path, reached[-1])])
    assert reached == [9, 40, 40, 9, 1, 0, 0]
    assert comparison.side.stage.facts == ["step 0 of 40", "untrained"]
    assert comparison.step_by(-1) == "B is of step 0 already"
    assert comparison.step_to_end(-1) == ""
    written(comparison)
    assert comparison.side.source == ModelSource("kept", kept_file(run.path, 40))
    assert comparison.sides[0].source == ModelSource("best", run.path)


def test_a_file_that_is_gone_or_holds_no_numbers_is_a_problem_of_its_side(
    backend: ScriptedBackend, run: RunDirectory
) -> None:
    del backend.checkpoints[kept_file(run.path, 9)]
    backend.checkpoints[kept_file(run.path, 1)].weights["fc.bias"][0] = np.nan
    comparison = comparison_of(backend, ModelSource("best", run.path))
    problems = []
    for _ in range(4):
        texts = written(comparison)
        assert texts[0]
        shown = comparison.side.shown
        assert shown is not None
        problems.append(shown.problem)
        comparison.step_by(-1)
    assert "step-00000009.safetensors: no such file" in problems[1]
    assert "lazy · step 1: the tensor 'fc.bias' holds NaN" in problems[2]
    assert (problems[0], problems[3]) == ("", "")


def test_live_weights_stay_as_they_were_when_they_were_chosen(backend: ScriptedBackend, shipped: ModelSource) -> None:
    run = ScriptedRun(backend.add_run("busy", tiny_checkpoint()))
    live = ModelSource("live", run.directory.path)
    comparison = comparison_of(backend, shipped, run=run)
    written(comparison)
    for step in (120, 240):
        weights = tiny_checkpoint(seed=step, step=step)
        comparison.use(live)
        until(comparison, lambda weights=weights: run.answer(weights))
        assert written(comparison)[comparison.chosen] == expected(weights)
        comparison.chosen = 1 - comparison.chosen
    comparison.write()
    assert written(comparison) == tuple(expected(tiny_checkpoint(seed=step)) for step in (240, 120))
    assert run.control.take() is None
    comparison.use(live)
    run.done = True
    written(comparison)
    shown = comparison.side.shown
    assert shown is not None
    assert shown.problem.startswith("busy is no longer in training")


def test_a_text_that_takes_long_grows_and_each_character_is_decoded_once(backend: ScriptedBackend) -> None:
    decoded: list[int] = []

    class Counting(Vocabulary):
        def decode(self, ids: Iterable[int] | Ids) -> str:
            text = super().decode(ids)
            decoded.append(len(text))
            return text

    checkpoint = replace(tiny_checkpoint(), vocabulary=Counting(ALPHABET))
    jobs, clock = RationedJobs(), Clock()
    jobs.ration.release(1000)
    comparison = comparison_of(backend, ModelSource("shipped", backend.ship(checkpoint)), jobs=jobs, clock=clock)
    written(comparison)
    decoded.clear()
    comparison.set_control(LENGTH, replace(SETTINGS, length=None))
    lengths = [0]

    def grown() -> bool:
        jobs.ration.release(200)
        clock.now += 0.05
        if comparison.side.growing and len(comparison.side.text) != lengths[-1]:
            lengths.append(len(comparison.side.text))
        return len(lengths) > 5

    until(comparison, grown)
    assert lengths == sorted(lengths)
    shown = comparison.side.shown
    assert shown is not None
    assert shown.settings.length is None
    assert sum(decoded) == sum(len("abc" + side.text) for side in comparison.sides)
    comparison.reroll()  # what is under way ends where there is enough to see; then the newest request is written
    comparison.reroll()
    jobs.ration.release(4 * ENOUGH)

    def newest() -> bool:
        jobs.ration.release(200)
        clock.now += 0.05
        return all(side.shown is not None and side.shown.settings.seed == 100 for side in comparison.sides)

    until(comparison, newest)
    comparison.close()
    jobs.ration.release(4 * MOST)


def test_a_stop_ends_both_texts_and_a_ban_acts_on_the_chosen_one(
    backend: ScriptedBackend, shipped: ModelSource
) -> None:
    comparison = comparison_of(backend, shipped)
    whole, _ = written(comparison)
    stop, banned = whole[9], whole[3]
    comparison.set_control(STOP, replace(SETTINGS, stop=stop))
    comparison.set_control(BAN, replace(SETTINGS, ban=banned))
    one, other = written(comparison)
    assert one == whole[: whole.index(stop) + 1]
    assert banned not in other
    assert comparison.differing_controls == [BAN]
    with pytest.raises(ValueError, match="ban has characters"):
        comparison.check(replace(comparison.side.settings, ban="Ж"))

"""Side by side, played by keys."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.playground.comparison import MOST
from charrnn_tui.playground.controls import DEFAULTS, PlaySettings
from charrnn_tui.playground.models import ModelSource
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.kept_checkpoints import kept_file
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.tui.compare.screen import CompareScreen, status_of
from charrnn_tui.tui.dialogs.help import help_for
from charrnn_tui.tui.dialogs.model_menu import ModelMenu
from tests.playground.rationed_jobs import RationedJobs
from tests.playground.scripted_backend import ScriptedBackend, ScriptedRun, tiny_checkpoint
from tests.tui.compare.comparing import SETTINGS, comparing
from tests.tui.pilot import screen_text, until
from tests.tui.play.player import playing

STEPS = (0, 1, 9, 40)


@pytest.fixture
def shipped(backend: ScriptedBackend) -> ModelSource:
    return ModelSource("shipped", backend.ship(tiny_checkpoint(val_loss=1.284)))


@pytest.fixture
def run(backend: ScriptedBackend) -> RunDirectory:
    """A run whose best model, of step 12, lies between two that it has kept."""
    run = backend.add_run("lazy", tiny_checkpoint(seed=12, step=12, steps=40, epoch=2, val_loss=1.5))
    (run.path / "checkpoints").mkdir()
    for step in STEPS:
        facts = {"step": step, "steps": 40, "epoch": 1 + step // 10, "last_val_loss": 2.5 - step / 40}
        kept_file(run.path, step).touch()
        backend.checkpoints[kept_file(run.path, step)] = tiny_checkpoint(
            seed=step, last_val_step=step // 8 * 8, **facts
        )
    return run


def expected(checkpoint: Checkpoint, settings: PlaySettings, prime: str = "abc") -> str:
    model = CharModel(checkpoint)
    seed = settings.seed
    sampler = Sampler(
        model, checkpoint.vocabulary, settings.sampling, seed=seed, prime=checkpoint.vocabulary.known_part(prime)
    )
    return "".join(written.character for written in islice(sampler, settings.length))


def parting(one: str, other: str) -> int:
    return next(place for place, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1])


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_both_sides_begin_with_the_same_text(
    backend: ScriptedBackend, shipped: ModelSource, size: tuple[int, int]
) -> None:
    async with comparing(backend, shipped, size=size) as comparer:
        text = expected(backend.checkpoints[shipped.path], SETTINGS)
        assert comparer.one.text == comparer.other.text == text
        assert comparer.panes[0].view.text == comparer.panes[1].view.text == "abc" + text
        assert comparer.status.startswith("B alone · same text, 200 chars · ")
        assert not comparer.panes[0].view.marks
        assert " A tiny (shipped) 2×8 · val 1.284 nats/char" in comparer.screen
        assert "▸B tiny (shipped) 2×8 · val 1.284 nats/char" in comparer.screen


@pytest.mark.parametrize("width", [30, 60, 80])
async def test_no_part_of_the_status_is_cut_on_a_narrow_screen(
    backend: ScriptedBackend, shipped: ModelSource, width: int
) -> None:
    async with comparing(backend, shipped, size=(width, 18)) as comparer:
        (line,) = (line for line in comparer.screen.splitlines() if line.startswith(" B alone"))
        parts = line.strip().split(" · ")
        assert parts == status_of(comparer.comparison)[: len(parts)]


async def test_a_control_changes_the_chosen_side_alone_and_the_first_difference_is_marked(
    backend: ScriptedBackend, shipped: ModelSource
) -> None:
    async with comparing(backend, shipped) as comparer:
        await comparer.press("down", "right", "right")
        warmer = replace(SETTINGS, temperature=0.9)
        checkpoint = backend.checkpoints[shipped.path]
        assert comparer.one.text == expected(checkpoint, SETTINGS)
        assert comparer.other.text == expected(checkpoint, warmer)
        place = parting(comparer.one.text, comparer.other.text)
        for pane in comparer.panes:
            assert [mark.position for mark in pane.view.marks] == [3 + place]
        assert f"part at character {place + 1}: " in comparer.status
        assert f"({place} in common)" in comparer.status
        assert " A temperature 0.80 · tiny (shipped)" in comparer.screen
        assert "▸B temperature 0.90 · tiny (shipped)" in comparer.screen


async def test_linked_controls_act_on_both_sides_and_leave_their_differences(
    backend: ScriptedBackend, shipped: ModelSource
) -> None:
    async with comparing(backend, shipped) as comparer:
        await comparer.press("down", "right", "equals_sign", "up", "left")
        assert (comparer.one.settings.top_k, comparer.other.settings.top_k) == (3, 3)
        assert (comparer.one.settings.temperature, comparer.other.settings.temperature) == (0.8, 0.85)
        assert comparer.status.startswith("linked · ")
        await comparer.press("equals_sign", "tab", "left")
        assert (comparer.one.settings.top_k, comparer.other.settings.top_k) == (2, 3)
        assert comparer.status.startswith("A alone · ")


async def test_seed_and_length_are_the_same_on_both_sides(backend: ScriptedBackend, shipped: ModelSource) -> None:
    async with comparing(backend, shipped) as comparer:
        await comparer.press("r")
        reseeded = replace(SETTINGS, seed=99)
        assert comparer.one.text == comparer.other.text == expected(backend.checkpoints[shipped.path], reseeded)
        assert comparer.app.side_by_side.controls.settings.seed == 99
        await comparer.press("up", "right")
        assert len(comparer.one.text) == len(comparer.other.text) == 500


async def test_sides_are_swapped(backend: ScriptedBackend, shipped: ModelSource) -> None:
    async with comparing(backend, shipped) as comparer:
        await comparer.press("down", "right")
        texts = comparer.one.text, comparer.other.text
        await comparer.press("x")
        assert (comparer.other.text, comparer.one.text) == texts
        assert comparer.app.side_by_side.controls.settings.temperature == 0.8


async def test_another_prime_begins_both_texts_and_what_one_alphabet_lacks_is_skipped_there(
    backend: ScriptedBackend, shipped: ModelSource
) -> None:
    path = Path("other.safetensors")
    backend.checkpoints[path] = other = tiny_checkpoint(alphabet="\n abx", seed=3)
    async with comparing(backend, shipped) as comparer:
        await comparer.pilot.press("m")
        await comparer.until(lambda: isinstance(comparer.app.screen, ModelMenu))
        await comparer.pilot.press("tab")
        comparer.app.screen._input.value = str(path)
        await comparer.pilot.press("enter")
        await comparer.until(lambda: comparer.app.screen is comparer.app.side_by_side)
        await comparer.written()
        await comparer.press("p")
        comparer.app.side_by_side.prime_field.prime = "a"
        await comparer.pilot.press("x", "enter")
        await comparer.until(lambda: comparer.one.shown.asked_prime == "ax")
        await comparer.written()
        assert comparer.panes[0].view.text == "a" + expected(backend.checkpoints[shipped.path], SETTINGS, "ax")
        assert comparer.panes[1].view.text == "ax" + expected(other, SETTINGS, "ax")
        assert "skipped here, not in this model's alphabet: x" in comparer.screen
        assert comparer.app.focused is comparer.app.side_by_side.controls


async def test_the_slider_goes_through_a_training(backend: ScriptedBackend, run: RunDirectory) -> None:
    async with comparing(backend, ModelSource("best", run.path)) as comparer:
        assert "step 12 of 40 · epoch 2 · val 1.500 nats/char " in comparer.screen
        assert comparer.screen.count("┼───┼───┼─◆─┼") == 2
        await comparer.press("comma")
        assert "step 9 of 40 · epoch 1 · val 2.275 nats/char (step 8) ┼───┼───●───┼" in comparer.screen
        assert comparer.other.text == expected(backend.checkpoints[kept_file(run.path, 9)], SETTINGS)
        assert comparer.one.text == expected(backend.checkpoints[run.best_file], SETTINGS)
        assert "▸B lazy · step 9 2×8" in comparer.screen
        await comparer.press("less_than_sign")
        assert "step 0 of 40 · untrained ●───┼───┼───┼" in comparer.screen
        assert comparer.other.text == expected(backend.checkpoints[kept_file(run.path, 0)], SETTINGS)
        await comparer.press("full_stop", "full_stop", "full_stop", "full_stop")
        assert comparer.other.text == expected(backend.checkpoints[kept_file(run.path, 40)], SETTINGS)
        await comparer.press("tab", "greater_than_sign")
        assert comparer.one.text == comparer.other.text


async def test_the_mouse_slides_too(backend: ScriptedBackend, run: RunDirectory) -> None:
    async with comparing(backend, ModelSource("best", run.path), size=(140, 40)) as comparer:
        words = "step 12 of 40 · epoch 2 · val 1.500 nats/char "
        await comparer.pilot.click(comparer.panes[0].slider, offset=(1 + len(words) + 4, 0))
        await comparer.written()
        assert comparer.one.source == ModelSource("kept", kept_file(run.path, 1))
        assert comparer.comparison.side is comparer.one


async def test_a_models_run_offers_what_it_has_kept_in_the_menu(backend: ScriptedBackend, run: RunDirectory) -> None:
    async with comparing(backend, ModelSource("best", run.path)) as comparer:
        await comparer.pilot.press("m")
        await comparer.until(lambda: "●▸ lazy · best" in comparer.screen)
        await comparer.pilot.press("right")
        await comparer.until(lambda: "lazy · step 40" in comparer.screen)
        await comparer.pilot.press("down", "down", "enter")
        await comparer.until(lambda: comparer.app.screen is comparer.app.side_by_side)
        await comparer.written()
        assert comparer.other.source == ModelSource("kept", kept_file(run.path, 1))


async def test_a_file_that_is_gone_or_holds_no_numbers_is_one_line_in_its_pane(
    backend: ScriptedBackend, run: RunDirectory
) -> None:
    del backend.checkpoints[kept_file(run.path, 9)]
    backend.checkpoints[kept_file(run.path, 1)].weights["fc.bias"][0] = np.nan
    async with comparing(backend, ModelSource("best", run.path), size=(400, 24)) as comparer:
        await comparer.press("comma")
        assert "step-00000009.safetensors: no such file" in comparer.screen
        assert comparer.panes[1].view.text == ""
        assert comparer.panes[0].view.text
        await comparer.press("comma")
        assert "lazy · step 1: the tensor 'fc.bias' holds NaN" in comparer.screen
        await comparer.press("comma")
        assert comparer.other.text == expected(backend.checkpoints[kept_file(run.path, 0)], SETTINGS)
        assert "NaN" not in comparer.screen


async def test_the_texts_are_scrolled_together(backend: ScriptedBackend, shipped: ModelSource) -> None:
    async with comparing(backend, shipped, settings=replace(SETTINGS, length=1000), size=(60, 18)) as comparer:
        await comparer.press("down", *["right"] * 20)
        assert comparer.panes[0].view.scroll_offset.y == comparer.panes[1].view.scroll_offset.y == 0
        await comparer.press("pagedown")
        assert comparer.panes[0].view.scroll_offset.y == comparer.panes[1].view.scroll_offset.y > 0
        comparer.panes[0].view.scroll_to(y=2, animate=False)
        await comparer.until(lambda: comparer.panes[1].view.scroll_offset.y == 2)
        await comparer.press("end", "d")
        place = parting(comparer.one.text, comparer.other.text)
        row = comparer.panes[0].view._rows.locate(3 + place).row
        assert row in range(comparer.panes[0].view.scroll_offset.y, comparer.panes[0].view.scroll_offset.y + 3)


async def test_where_nothing_differs_nothing_is_painted_again(
    backend: ScriptedBackend, shipped: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with comparing(backend, shipped) as comparer:
        painted: list[Any] = []
        view = comparer.panes[0].view
        monkeypatch.setattr(view, "refresh", lambda *regions, **_: painted.extend(regions))
        comparer.panes[0].draw(None, False, "")
        assert not painted
        comparer.panes[0].draw(5, False, "")
        assert [(region.y, region.width) for region in painted] == [(0, 1)]


async def test_a_text_that_takes_long_is_shown_as_it_grows_and_marked_where_they_differ(
    backend: ScriptedBackend, shipped: ModelSource
) -> None:
    jobs = RationedJobs()
    jobs.ration.release(1000)

    def fed(condition: Callable[[], object]) -> Callable[[], object]:
        """The condition; each time it is looked at, both write on a little."""
        return lambda: jobs.ration.release(200) or condition()

    async with comparing(backend, shipped, jobs=jobs) as comparer:
        clock, view, sides, lengths = comparer.app.clock, comparer.panes[1].view, comparer.comparison.sides, [0]
        await comparer.pilot.press("up", *["right"] * 8)  # without an end: 50,000 characters
        endless = fed(lambda: all(side.shown.settings.length is None for side in sides))
        await until(comparer.pilot, endless, clock)

        def grown() -> bool:
            if view.length != lengths[-1]:
                lengths.append(view.length)
            return len(lengths) > 5

        await until(comparer.pilot, fed(grown), clock)
        assert view.text == "abc" + comparer.other.text
        assert lengths == sorted(lengths)
        assert (view.following, view.scroll_offset.y) == (False, 0)
        await comparer.pilot.press("down", "down", "right")  # the temperature: where they part is marked as they grow
        await until(comparer.pilot, fed(lambda: comparer.other.shown.settings.temperature == 0.85), clock)
        await until(comparer.pilot, fed(lambda: view.marks and view.marks == comparer.panes[0].view.marks), clock)
        texts = [side.text[: view.marks[0].position - len("abc") + 1] for side in sides]
        assert texts[0][:-1] == texts[1][:-1]
        assert texts[0] != texts[1]
        await comparer.pilot.press("r")
        await until(comparer.pilot, fed(lambda: comparer.other.shown.settings.seed == 99), clock)
        jobs.ration.release(4 * MOST)  # nobody waits for it any more


async def test_the_playground_opens_it_with_what_it_has_and_goes_on_afterwards(
    backend: ScriptedBackend, run: RunDirectory
) -> None:
    async with playing(backend, source=ModelSource("best", run.path)) as player:
        await player.written(30)
        await player.press("p", "c", "enter", "down", "right")
        await player.until(lambda: player.playground.writer.prime == "c")
        await player.press("vertical_line")
        await player.until(lambda: isinstance(player.app.screen, CompareScreen))
        sides = player.app.screen.comparison.sides
        await player.until(lambda: all(side.shown is not None and not side.busy for side in sides))
        settings = replace(DEFAULTS, temperature=0.85, length=1000)
        for side in sides:
            assert side.source == ModelSource("best", run.path)
            assert side.text == expected(backend.checkpoints[run.best_file], settings, "c")
        await player.press("escape")
        assert player.app.screen is player.play
        written = player.playground.writer.count
        await player.written(written + 20)


async def test_help_is_the_screens_own(backend: ScriptedBackend, shipped: ModelSource) -> None:
    async with comparing(backend, shipped) as comparer:
        assert comparer.app.focused is comparer.app.side_by_side.controls
        sections = help_for(comparer.app.side_by_side)
        assert sections[0].text == CompareScreen.HELP


async def test_without_a_model_there_is_nothing_to_compare(backend: ScriptedBackend) -> None:
    async with playing(backend) as player:
        await player.until(lambda: "no model yet" in screen_text(player.app))
        await player.press("vertical_line")
        assert player.app.screen is player.play


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (40, 12), (60, 18), (99, 9), (100, 24), (300, 100)])
async def test_it_works_at_any_size(backend: ScriptedBackend, run: RunDirectory, size: tuple[int, int]) -> None:
    async with comparing(backend, ModelSource("best", run.path), size=size) as comparer:
        await comparer.press("down", "right", "comma", "equals_sign", "tab", "pagedown", "d", "x", "end")
        await comparer.pilot.resize_terminal(90, 30)
        await comparer.press("greater_than_sign", "p", "escape", "enter", "escape")
        await comparer.pilot.resize_terminal(*size)
        await comparer.press("home", "full_stop")
        assert comparer.app.is_running
        assert comparer.one.text


async def test_a_side_takes_the_weights_of_a_training_as_they_are_when_it_asks(
    backend: ScriptedBackend, shipped: ModelSource
) -> None:
    run = ScriptedRun(backend.add_run("busy", tiny_checkpoint()))
    async with comparing(backend, shipped, size=(120, 24), run=run) as comparer:
        for step in (120, 240):
            await comparer.pilot.press("m")
            await until(comparer.pilot, lambda: "busy · live" in comparer.screen)
            await comparer.pilot.press("home", "enter")
            weights = tiny_checkpoint(seed=step, step=step)
            await comparer.until(partial(run.answer, weights))
            await comparer.written()
            await comparer.until(lambda step=step: f"busy · live @ step {step}" in comparer.screen)
            await comparer.press("tab")
        await comparer.press("right")
        assert "busy · live @ step 120" in comparer.screen  # as it was, though written anew
        assert "busy · live @ step 240" in comparer.screen
        assert run.control.take() is None
        assert comparer.other.text == expected(tiny_checkpoint(seed=120), comparer.other.settings)


async def test_a_training_that_ends_before_it_answers_is_named(backend: ScriptedBackend, shipped: ModelSource) -> None:
    run = ScriptedRun(backend.add_run("busy", tiny_checkpoint()))
    async with comparing(backend, shipped, size=(120, 24), run=run) as comparer:
        await comparer.pilot.press("m")
        await until(comparer.pilot, lambda: "busy · live" in comparer.screen)
        await comparer.pilot.press("home", "enter")
        run.done = True
        await comparer.until(lambda: "busy is no longer in training" in comparer.screen)

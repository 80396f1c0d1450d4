"""The lenses of the playground: what the colours of its text mean; played by keys."""

import re
from pathlib import Path

import numpy as np
import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.playground.activations import Activations
from charrnn_tui.playground.copies import Copies
from charrnn_tui.playground.deciding import Deciders
from charrnn_tui.playground.models import ModelSource
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.tui.dialogs.lens_menu import LensMenu
from charrnn_tui.tui.textview.lens import Page
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint
from tests.tui.pilot import screen_text
from tests.tui.play.player import DEFAULT, Player, playing


async def turn_on(player: Player, name: str) -> None:
    """Choose a lens from the menu."""
    await player.press("l")
    menu = player.app.screen
    assert isinstance(menu, LensMenu)
    while menu.highlighted != name:
        await player.press("down")
    await player.press("enter")


def classes_of_unit(player: Player, checkpoint: Checkpoint, layer: int, unit: int) -> list[int]:
    """Of each character of the page, from a network that reads it from its beginning."""
    network, found = CharModel(checkpoint), []
    state = network.initial_state()
    for token_id in checkpoint.vocabulary.encode(player.playground.text).tolist():
        state = network.advance(token_id, state)
        value = np.tanh(state.c[layer - 1, unit - 1])
        found.append((7, 6, 1, 8, 9)[int(np.digitize(value, (-0.6, -0.2, 0.2, 0.6)))])
    return found


async def test_the_menu_puts_a_lens_on_and_takes_it_off(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written(40)
        await player.press("l")
        assert isinstance(player.app.screen, LensMenu)
        assert "of the best" in screen_text(player.app)
        await player.press("down", "down", "down", "enter")
        assert player.pane.lens is not None
        assert player.pane.lens.name == "surprise"
        await player.until(lambda: "surprise" in screen_text(player.app))
        await player.press("l", "escape")
        assert player.pane.lens.name == "surprise"
        await player.press("c")
        assert player.pane.lens.name == "entropy"  # the key for colours goes on from there
        await player.press("l", "home", "enter")
        assert player.pane.lens is None
        assert player.pane.text_view.colour_classes is None


async def test_the_unit_lens_colours_by_the_unit_that_keys_choose(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await player.written(40)
        await player.stop()
        assert "Next unit" not in screen_text(player.app)
        await turn_on(player, "unit")
        await player.until(lambda: "Next unit" in screen_text(player.app))
        view = player.pane.text_view
        for keys, layer, unit in (
            ((), 1, 1),
            (("j", "j"), 1, 3),
            (("J",), 2, 3),
            (("k",) * 4, 1, 7),
            (("J", "J"), 1, 7),
        ):
            await player.press(*keys)
            expected = classes_of_unit(player, shipped, layer, unit)
            await player.until(lambda expected=expected: view.colour_classes(0, view.length) == expected)
            await player.until(lambda name=f"{layer}.{unit}: ": f"{name}" in screen_text(player.app))
        await player.press("c")
        await player.until(lambda: "Next unit" not in screen_text(player.app))


async def test_the_unit_lens_says_the_value_under_the_cursor(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend, size=(140, 40)) as player:
        await player.written(40)
        await player.stop()
        await turn_on(player, "unit")
        await player.press("i", "home", "right", "right", "right")
        network = CharModel(shipped)
        state = network.initial_state()
        for token_id in shipped.vocabulary.encode(player.playground.text[:4]).tolist():
            state = network.advance(token_id, state)
        await player.until(lambda: f"1.1: {np.tanh(state.c[0, 0]):+.1f}" in screen_text(player.app))


async def test_units_are_ranked_by_a_property_and_a_chosen_one_is_shown(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await player.written(60)
        await player.stop()
        await turn_on(player, "unit")
        await player.press("f")
        await player.until(lambda: "inside a word" in screen_text(player.app))
        await player.press(*"word", "enter")
        await player.until(lambda: "chance" in screen_text(player.app))
        shown = screen_text(player.app)
        assert "characters written here" in shown
        assert "is highest behind" in shown
        best = re.findall(r"│ ([12])\.([1-8]) +area 0\.\d{3}", shown)[0]
        await player.press("enter")
        view = player.pane.text_view
        expected = classes_of_unit(player, shipped, *map(int, best))
        await player.until(lambda: view.colour_classes(0, view.length) == expected)
        await player.press("f", *"/[aeiou]/", "enter")
        await player.until(lambda: "/[aeiou]/:" in screen_text(player.app))
        await player.press("escape")


async def test_units_are_ranked_by_the_selection_or_a_span_that_is_typed(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await player.written(60)
        await player.stop()
        await turn_on(player, "unit")
        await player.press("i", "home", *["right"] * 9, "v", *["right"] * 19)
        assert player.pane.text_view.selected == (9, 29)
        await player.press("f")
        await player.until(lambda: "selection     in the 20 selected characters" in screen_text(player.app))
        await player.press("enter")
        await player.until(lambda: "10-29: " in screen_text(player.app))
        assert "chance" in screen_text(player.app)
        assert "held out" not in screen_text(player.app)
        assert re.search(r"│ [12]\.[1-8] +area [01]\.\d{3} ", screen_text(player.app))
        await player.press(*"5-9", "enter")
        await player.until(lambda: "5-9: " in screen_text(player.app))
        await player.press("escape")


async def test_a_unit_that_is_typed_is_shown_and_one_that_is_missing_is_not(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await player.written(40)
        await player.stop()
        await turn_on(player, "unit")
        await player.press("f", *"2.9")
        await player.until(lambda: "no such unit" in screen_text(player.app))
        await player.press("enter", "backspace", "7", "enter")
        view = player.pane.text_view
        expected = classes_of_unit(player, shipped, 2, 7)
        await player.until(lambda: view.colour_classes(0, view.length) == expected)


async def test_a_pin_holds_the_unit_high_then_low_then_not(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written(40)
        text = await player.stop()
        await turn_on(player, "unit")
        await player.press("j")
        view = player.pane.text_view
        for pin, number in (("1.2=1", 9), ("1.2=-1", 7)):
            await player.press("P")
            await player.until(lambda pin=pin: player.playground.writer.generated.settings[0].value.pin == pin)
            assert player.play.controls.settings.pin == pin
            assert player.play.controls.settings.replay
            assert len(player.playground.writer.text) == len(text)
            first, last = view.prime_length, view.prime_length + len(text)
            await player.until(
                lambda first=first, last=last, number=number: {*view.colour_classes(first, last)} == {number}
            )
        await player.press("P")
        await player.until(lambda: player.playground.writer.text == text)
        assert player.play.controls.settings.pin is None


async def test_the_deciding_lens_follows_the_cursor(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend, size=(140, 40)) as player:
        await player.written(60)
        await player.stop()
        view = player.pane.text_view
        await turn_on(player, "deciding")

        def coloured() -> list[int]:
            return [place for place, number in enumerate(view.colour_classes(0, view.length)) if number >= 0]

        last = view.length - 1
        await player.until(lambda: coloured() == list(range(last - 40, last)))
        await player.press("i", "home", *["right"] * 9)
        await player.until(lambda: coloured() == list(range(9)))
        await player.until(lambda: re.search(r": most by ., [1-9] before: \d+%", screen_text(player.app)))
        await player.press("c")
        assert coloured() != list(range(9))


async def test_the_copied_lens_underlines_and_says_where_it_comes_from(
    backend: ScriptedBackend, tmp_path: Path
) -> None:
    checkpoint = tiny_checkpoint(corpus="letters")
    source = ModelSource("file", backend.put(tmp_path / "tiny.safetensors", checkpoint))
    sampler = Sampler(CharModel(checkpoint), checkpoint.vocabulary, DEFAULT, seed=42, prime="\n")
    text = "".join(next(sampler).character for _ in range(60))
    (tmp_path / "letters.txt").write_text("ABC\nxyz" + text[20:50] + "\n" + 300 * "~")
    async with playing(backend, source=source, size=(140, 40)) as player:
        await player.written(60)
        await player.stop()
        await turn_on(player, "copied")
        view = player.pane.text_view
        await player.until(lambda: view.colour_classes(0, 60) == [1] * 20 + [4] * 30 + [1] * 10)
        await player.press("i", "home", *["right"] * 25)
        await player.until(lambda: "30 chars: line 2, char 4 of letters.txt" in screen_text(player.app))


async def test_the_copied_lens_says_how_to_name_the_training_text(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await player.written(30)
        await turn_on(player, "copied")
        await player.until(lambda: "no training text" in screen_text(player.app))
        assert player.app.told == [
            "tiny (shipped) does not say which text it was trained on; charrnn-tui copied --training FILE takes any"
        ]


async def test_a_lens_that_is_off_does_nothing(
    backend: ScriptedBackend, shipped: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = list[str]()
    for part, method in ((Activations, "of"), (Deciders, "ask"), (Copies, "ask"), (Copies, "of")):
        monkeypatch.setattr(part, method, lambda *_, name=f"{part.__name__}.{method}": calls.append(name))
    looked = list[Page]()
    monkeypatch.setattr("charrnn_tui.tui.play.pane.Page", lambda *parts: looked.append(parts))
    async with playing(backend) as player:
        await player.written(100)
        await player.press("i", *["left"] * 10, "up", "i", "r")
        await player.written(100)
        await player.stop()
        assert player.pane.text_view.colour_classes is None
    assert calls == []
    assert looked == []


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (40, 12), (60, 18), (300, 100)])
async def test_lenses_work_at_any_size(backend: ScriptedBackend, shipped: Checkpoint, size: tuple[int, int]) -> None:
    async with playing(backend, size=size) as player:
        await player.written(60)
        for name in ("unit", "deciding", "copied"):
            await turn_on(player, name)
            await player.press("j", "J", "P", "i", "left", "left", "i")
        await turn_on(player, "unit")
        await player.press("f", *"word", "enter")
        await player.until(lambda: player.app.jobs.idle)
        await player.pilot.resize_terminal(90, 30)
        await player.press("down", "enter")
        await player.pilot.resize_terminal(*size)
        await player.press("g", "r", "x", "u", "c", "l", "escape")
        assert player.app.is_running

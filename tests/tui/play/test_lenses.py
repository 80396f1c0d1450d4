"""The lenses of the playground: what the colours of its text mean; played by keys."""

import numpy as np

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.sampling.lstm import CharLSTM
from charrnn_tui.tui.dialogs.lens_menu import LensMenu
from tests.playground.scripted_backend import ScriptedBackend
from tests.tui.pilot import screen_text
from tests.tui.play.player import Player, playing


async def unit_lens(player: Player) -> None:
    """Turn the unit lens on."""
    await player.press("l")
    menu = player.app.screen
    assert isinstance(menu, LensMenu)
    while menu.highlighted != "unit":
        await player.press("down")
    await player.press("enter")


def classes_of_unit(player: Player, checkpoint: Checkpoint, layer: int, unit: int) -> list[int]:
    """Of each character of the page, from a network that reads it from its beginning."""
    network, found = CharLSTM(checkpoint), []
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
        await unit_lens(player)
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
        await unit_lens(player)
        await player.press("i", "home", "right", "right", "right")
        network = CharLSTM(shipped)
        state = network.initial_state()
        for token_id in shipped.vocabulary.encode(player.playground.text[:4]).tolist():
            state = network.advance(token_id, state)
        await player.until(lambda: f"1.1: {np.tanh(state.c[0, 0]):+.1f}" in screen_text(player.app))

"""The lenses of the playground: what the colours of its text mean; played by keys."""

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.tui.dialogs.lens_menu import LensMenu
from tests.playground.scripted_backend import ScriptedBackend
from tests.tui.pilot import screen_text
from tests.tui.play.player import playing


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

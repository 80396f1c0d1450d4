"""The menu of models: what is listed in which order, and what is folded."""

from charrnn_tui.playground.models import ModelSource
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.kept_checkpoints import kept_file
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint
from tests.tui.pilot import screen_text
from tests.tui.play.player import Player, playing


def run_with_history(backend: ScriptedBackend, name: str, val_loss: float) -> RunDirectory:
    """Its best checkpoint, and three that it has kept."""
    run = backend.add_run(name, tiny_checkpoint(val_loss=val_loss, batch_size=16, seq_length=50))
    (run.path / "checkpoints").mkdir()
    for step in (10, 20, 30):
        kept_file(run.path, step).touch()
        backend.checkpoints[kept_file(run.path, step)] = tiny_checkpoint(step=step, val_loss=val_loss + 1 / step)
    return run


def listed(player: Player) -> list[str]:
    """The rows of the list, without the frame."""
    rows = [row.partition("│")[2].partition("│")[0].rstrip() for row in screen_text(player.app).splitlines()]
    return [row.removeprefix(" ") for row in rows if "2×8" in row]


async def test_shipped_and_best_models_come_first_with_their_losses_and_steps_are_folded(
    backend: ScriptedBackend,
) -> None:
    backend.ship(tiny_checkpoint(val_loss=1.25, batch_size=32, seq_length=100))
    run = run_with_history(backend, "lazy", 1.5)
    run_with_history(backend, "eager", 1.75)
    folded = [
        " ▸ eager · best  2×8 · val 1.750 nats/char, 16×50",
        " ▸ lazy · best  2×8 · val 1.500 nats/char, 16×50",
    ]
    shipped = "●  tiny (shipped)  2×8 · val 1.250 nats/char, 32×100"
    async with playing(backend, source=ModelSource("shipped", backend.shipped or run.path)) as player:
        await player.written()
        await player.press("m")
        await player.until(lambda: "Enter opens" in screen_text(player.app))
        assert listed(player)[0] == shipped
        assert sorted(listed(player)[1:]) == folded
        place = next(place for place, row in enumerate(listed(player)) if "lazy" in row)
        await player.press(*["down"] * place, "right")
        await player.until(lambda: len(listed(player)) == 6)
        unfolded = listed(player)[place : place + 4]
        assert unfolded[0].startswith(" ▾ lazy · best")
        assert unfolded[1] == "     lazy · step 10  2×8 · val 1.600 nats/char"
        await player.press("down", "down", "left")
        await player.until(lambda: sorted(listed(player)[1:]) == folded)
        await player.press("right", "down", "enter")
        await player.until(lambda: player.playground.model.source == ModelSource("kept", kept_file(run.path, 10)))
        await player.press("m")
        await player.until(lambda: "●    lazy · step 10" in screen_text(player.app))


async def test_keys_on_an_empty_menu_do_nothing(backend: ScriptedBackend) -> None:
    async with playing(backend) as player:
        await player.press("m")
        await player.until(lambda: "no model here yet" in screen_text(player.app))
        await player.press("shift+tab", "right", "left", "escape")
        assert player.app.screen is player.play

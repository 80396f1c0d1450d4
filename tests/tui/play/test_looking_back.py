"""The playground looks back: inspector, forks, branches, undo, colours; played by keys."""

import math
from dataclasses import replace

import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.run.quantities import nats
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.distribution import Distribution
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.tui.dialogs.branch_list import BranchList
from charrnn_tui.tui.textview.visible import symbol_of
from tests.playground.scripted_backend import ScriptedBackend
from tests.tui.pilot import screen_text
from tests.tui.play.player import DEFAULT, Player, playing

SIZES = [(80, 24), (140, 40)]


def predicted(checkpoint: Checkpoint, prime: str, text: str, settings: SamplingSettings = DEFAULT) -> Distribution:
    """What a model makes of what follows a text, worked out from its start."""
    model = CharModel(checkpoint)
    ids = checkpoint.vocabulary.encode(prime + text).tolist()
    state = model.initial_state()
    for token_id in ids[:-1]:
        state = model.advance(token_id, state)
    return Distribution(model.step(ids[-1], state)[0], settings)


async def inspect(player: Player, position: int) -> str:
    """Stop, open the inspector, put the cursor on a written character; the text so far."""
    await player.written(position + 30)
    text = await player.stop()
    await player.press("i")
    player.pane.text_view.cursor = len(player.playground.writer.prime) + position
    await player.until(lambda: _position(player) == position)
    return text


def _position(player: Player) -> int | None:
    inspection = player.play.inspector.inspection
    return None if inspection is None else inspection.position


@pytest.mark.parametrize("size", SIZES)
async def test_the_inspector_shows_what_predicted_the_character_under_the_cursor(
    backend: ScriptedBackend, shipped: Checkpoint, size: tuple[int, int]
) -> None:
    async with playing(backend, size=size) as player:
        text = await inspect(player, 20)
        expected = predicted(shipped, "a", text[:20])
        own = expected.statistics(shipped.vocabulary.index[text[20]])
        shown = screen_text(player.app)
        bits = own.surprise_bits
        assert f"{symbol_of(text[20])} rank {own.rank} of 10 · {nats(bits):.2f} nats ({bits:.2f} bits)" in shown
        entropies = f"{nats(expected.entropy_bits):.2f} → {nats(expected.entropy_after_bits):.2f} nats"
        assert f"entropy {entropies} · kept 5" in shown
        for row in range(3):
            assert f"{expected.before_at(row):.1%}" in shown
            assert f"{expected.after_at(row):.1%}" in shown


async def test_every_share_beside_a_bar_is_a_percentage(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        cold = replace(player.playground.settings, temperature=0.05, top_k=None)
        player.play.controls.settings = player.playground.settings = cold
        await inspect(player, 20)
        rows = [line for line in screen_text(player.app).splitlines() if "▏" in line and "–" not in line]
        shares = [word for row in rows for word in row.split()[-3:] if word[0].isdigit()]
        assert len(shares) >= 6
        assert all(share.endswith("%") for share in shares)
        assert any("e-" in share for share in shares)  # that one is told from no chance at all


async def test_a_changed_control_redraws_the_bars_of_a_past_character_and_no_network_runs(
    backend: ScriptedBackend, shipped: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with playing(backend, size=(140, 40)) as player:
        text = await inspect(player, 20)
        steps: list[int] = []
        monkeypatch.setattr(CharModel, "advance", lambda *_: steps.append(1))
        player.play.controls.focus()
        await player.press("down", *["right"] * 8)
        hot = predicted_by_the_model(shipped, text, monkeypatch, SamplingSettings(1.2, 5))
        assert f"→ {nats(hot.entropy_after_bits):.2f} nats · kept 5" in screen_text(player.app)
        assert not steps


def predicted_by_the_model(
    checkpoint: Checkpoint, text: str, monkeypatch: pytest.MonkeyPatch, settings: SamplingSettings
) -> Distribution:
    monkeypatch.undo()
    return predicted(checkpoint, "a", text[:20], settings)


async def test_arrows_move_the_cursor_and_the_bars_follow(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        text = await inspect(player, 20)
        await player.press("left", "left", "right")
        await player.until(lambda: _position(player) == 19)
        await player.press("enter", "left")  # among the bars the arrows do the same
        await player.until(lambda: _position(player) == 18)
        assert f"{symbol_of(text[18])} rank" in screen_text(player.app)
        await player.press("escape", "home")
        await player.until(lambda: "belongs to the prime" in screen_text(player.app))
        await player.press("escape")
        assert not player.play.inspecting
        assert player.app.focused is player.play.controls


async def test_the_mouse_puts_the_cursor(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await inspect(player, 20)
        view = player.pane.text_view
        before = view.text[:5]
        row, column = before.count("\n"), 5 - (before.rfind("\n") + 1)
        await player.pilot.click(view, offset=(column + 1, row))  # behind one cell of padding
        await player.until(lambda: view.cursor == 5)
        assert _position(player) == 4


async def test_a_typed_symbol_finds_its_bar_wherever_it_stands(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        text = await inspect(player, 20)
        expected = predicted(shipped, "a", text[:20])
        last = int(expected.order[-1])
        symbol = shipped.vocabulary.tokens[last]
        await player.press("slash")
        assert "type a symbol" in screen_text(player.app)
        await player.press({"\n": "enter", " ": "space"}.get(symbol, symbol))
        assert player.play.inspector.place == 9
        assert f"▸ {symbol_of(symbol)}" in screen_text(player.app)
        await player.press("slash", "q")
        assert "q is not in this model's alphabet" in screen_text(player.app)


async def test_enter_on_a_bar_goes_on_from_there_with_that_character(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        text = await inspect(player, 20)
        expected = predicted(shipped, "a", text[:20])
        place = expected.place_of(shipped.vocabulary.index[text[20]])
        await player.press("enter", "down" if place == 0 else "up", "enter")
        await player.until(lambda: player.playground.writer.count >= 60)
        forked = await player.stop()
        other = int(expected.order[place + (1 if place == 0 else -1)])
        reference = Sampler(CharModel(shipped), shipped.vocabulary, DEFAULT, seed=42, prime="a")
        straight = [next(reference).character for _ in range(20)] + [reference.force(other).character]
        straight += [next(reference).character for _ in forked[21:]]
        assert forked == "".join(straight)
        assert forked[20] != text[20]
        assert player.pane.text_view.text == "a" + forked
        assert [mark.position for mark in player.pane.text_view.marks] == [21]


async def test_a_fork_that_is_asked_for_as_the_text_starts_over_is_refused(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await inspect(player, 20)
        await player.press("enter")
        player.playground.start_over()
        player.play.inspector.action_fork()  # of what it still shows
        assert "another text is shown now" in player.playground.fork(20, 0)
        player.pane.update()
        await player.written(30)


async def test_a_text_that_begins_under_the_inspector_has_a_cursor(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        await inspect(player, 20)
        player.playground.change_prime("")
        player.pane.update()
        await player.until(lambda: player.playground.writer.prime == "")
        await player.written(10)
        await player.stop()
        assert _position(player) == 0
        await player.press("right", "right")
        assert _position(player) == 2


async def test_a_fork_with_the_same_character_is_another_continuation(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        text = await inspect(player, 20)
        await player.press("enter", "enter")
        await player.until(lambda: player.playground.writer.count >= len(text))
        forked = await player.stop()
        assert forked[:21] == text[:21]
        assert forked[: len(text)] != text


async def test_branches_can_be_walked_bookmarked_deleted_undone_and_done_again(
    backend: ScriptedBackend, shipped: Checkpoint
) -> None:
    async with playing(backend) as player:
        first = await inspect(player, 10)
        await player.press("escape", "r")  # another seed: a sibling
        await player.written(40)
        second = await player.stop()
        assert player.playground.settings.seed == 99

        await player.press("left_square_bracket")
        await player.until(lambda: player.playground.writer.text == first)
        assert player.playground.settings.seed == player.play.controls.settings.seed == 42
        assert player.pane.text_view.text == "a" + first
        await player.press("right_square_bracket")
        await player.until(lambda: player.playground.writer.text == second)

        await player.press("b", "t")
        assert isinstance(player.app.screen, BranchList)
        assert "●★ seed 99" in screen_text(player.app)
        await player.press("up", "enter")
        await player.until(lambda: player.playground.writer.text == first)

        await player.press("u")  # the reroll
        await player.press("right_square_bracket")
        assert player.playground.writer.text == first  # it has no sibling any more
        await player.press("U")
        await player.until(lambda: player.playground.writer.text == second)
        await player.press("x")
        await player.until(lambda: player.playground.writer.text == first)
        await player.press("x")
        await player.until(lambda: player.app.told[-1:] == ["this is the only text there is"])
        assert player.playground.writer.text == first
        await player.press("u")
        await player.until(lambda: player.playground.writer.text == second)


async def test_an_edited_prime_can_be_undone(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written(30)
        await player.press("p", "b", "enter")
        await player.until(lambda: player.playground.writer.prime == "ab")
        await player.written(10)
        await player.press("u")
        await player.until(lambda: player.playground.writer.prime == "a")
        assert player.pane.prime_field.prime == "a"
        assert player.playground.writer.count >= 30


async def test_a_branch_goes_on_where_it_stood(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written(30)
        await player.stop()
        first = player.playground.writer.text
        await player.press("r")
        await player.written(30)
        await player.press("u", "g")
        await player.written(len(first) + 30)
        text = await player.stop()
        reference = Sampler(CharModel(shipped), shipped.vocabulary, DEFAULT, seed=42, prime="a")
        assert text == "".join(next(reference).character for _ in text)


async def test_colours_step_through_their_modes_while_it_writes(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend) as player:
        await player.written(40)
        for name in ("probability", "of the best", "surprise", "entropy"):
            await player.press("c")
            await player.until(lambda name=name: f"{name} " in screen_text(player.app).splitlines()[-6])
            classes = player.pane.text_view.colour_classes(0, 41)
            assert classes[0] == -1  # the prime was given
            assert set(classes[1:]) <= {1, 2, 3, 4, 5}
            assert len(set(classes[1:])) > 1 or name == "entropy"  # this model is never sure
        assert player.playground.writer.writing
        bits = player.playground.writer.generated.total_bits
        assert bits > 0
        await player.until(lambda: "nats/char · ppl" in screen_text(player.app))
        await player.press("c")
        assert player.pane.text_view.colour_classes is None


async def test_the_legend_counts_the_selection(backend: ScriptedBackend, shipped: Checkpoint) -> None:
    async with playing(backend, size=(140, 40)) as player:
        await player.written(60)
        await player.press("c", "c", "c")
        await player.stop()
        player.pane.text_view.text_select_all()
        player.pane.update()
        whole = screen_text(player.app)
        generated = player.playground.writer.generated
        mean = nats(generated.total_bits / len(generated))
        assert f"{mean:.2f} nats/char · ppl {math.exp(mean):.2f}" in whole


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (40, 12), (60, 18), (80, 24), (99, 9), (100, 24), (300, 100)])
async def test_looking_back_works_at_any_size(
    backend: ScriptedBackend, shipped: Checkpoint, size: tuple[int, int]
) -> None:
    async with playing(backend, size=size) as player:
        await player.written(30)
        await player.press("i", "left", "up", "enter", "down", "enter", "slash", "a", "enter", "c", "t", "escape")
        await player.pilot.resize_terminal(90, 30)
        await player.press("u", "left_square_bracket", "U", "x", "b", "escape", "i", "i")
        await player.pilot.resize_terminal(*size)
        await player.press("escape", "escape")
        assert player.app.is_running

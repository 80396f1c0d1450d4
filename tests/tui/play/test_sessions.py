"""What was done in the playground is there again the next time."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from charrnn_tui.playground.models import ModelSource, load_model
from charrnn_tui.playground.playground import State
from charrnn_tui.playground.session import DIRECTORY, KEPT, SessionError, list_sessions, read_session, write_session
from charrnn_tui.run.kept_checkpoints import kept_file
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint
from tests.tui.pilot import screen_text
from tests.tui.play.player import Player, Playground, playing


def sessions(backend: ScriptedBackend) -> list[Path]:
    return list_sessions(backend.runs_directory / DIRECTORY)


@asynccontextmanager
async def coming_back(backend: ScriptedBackend, file: Path) -> AsyncIterator[Player]:
    """The playground, opened with the newest session."""
    app = Playground(backend, None, ModelSource("file", file))
    app.play.session = sessions(backend)[0]
    async with app.run_test(size=(80, 24)) as pilot:
        player = Player(app, pilot)
        await player.until(lambda: player.pane.text_view.length and player.playground.state is not State.RESTORING)
        yield player


async def made(player: Player) -> None:
    """Three texts, one a fork of a fork; a bookmark, a control, a prime."""
    await player.press("p")
    player.pane.prime_field.prime = ""
    await player.press("b", "a", "d", "enter")
    await player.until(lambda: player.playground.writer.prime == "bad")
    await player.written(150)
    await player.stop()
    await player.press("right", "right", "i", "left", "left", "left", "enter", "down", "enter")
    await player.written(200)
    await player.stop()
    await player.press("left", "enter")
    await player.written(240)
    await player.stop()
    await player.press("b", "i")


async def test_every_text_is_back_with_its_place_in_the_tree(backend: ScriptedBackend, file: Path) -> None:
    async with playing(backend, source=ModelSource("file", file)) as player:
        await made(player)
        before = list(player.playground.tree)
        current = before.index(player.playground.tree.current)
    async with coming_back(backend, file) as player:
        after = list(player.playground.tree)
        assert [branch.origin for branch in after] == [branch.origin for branch in before]
        assert [branch.bookmarked for branch in after] == [branch.bookmarked for branch in before]
        assert after.index(player.playground.tree.current) == current
        assert (
            player.pane.text_view.text
            == player.playground.text
            == before[current].generated.prime + before[current].generated.text
        )
        assert player.playground.settings.top_k == player.play.controls.settings.top_k == 20
        assert player.pane.prime_field.prime == "bad"
        assert not player.playground.writer.writing
        for old, new in zip(before, after, strict=True):
            assert new.generated.text == old.generated.text
            assert new.generated.forced == old.generated.forced
            assert new.position == old.position
            assert list(new.generated.surprises) == list(old.generated.surprises)
            assert new.marks == old.marks


async def test_a_text_that_is_back_goes_on_as_it_would_have(backend: ScriptedBackend, file: Path) -> None:
    async with playing(backend, source=ModelSource("file", file)) as player:
        await made(player)
        left = player.playground.writer.count
        await player.press("g")
        await player.written(left + 100)
        whole = await player.stop()
        assert player.playground.tree.current is not None
        generated = player.playground.tree.current.generated.fork(left)  # as if one had left before
        player.playground.tree.current.generated = generated
        player.playground.writer.turn_to(generated)
    async with coming_back(backend, file) as player:
        assert player.playground.writer.count == left
        await player.press("g")
        await player.written(left + 100)
        text = await player.stop()
        length = min(len(text), len(whole))
        assert text[:length] == whole[:length]


async def test_nothing_done_leaves_no_session(backend: ScriptedBackend, file: Path) -> None:
    async with playing(backend, source=ModelSource("file", file)) as player:
        await player.written(100)
    assert sessions(backend) == []


async def test_going_on_with_a_session_saves_it_in_its_place(backend: ScriptedBackend, file: Path) -> None:
    async with playing(backend, source=ModelSource("file", file)) as player:
        await made(player)
        count = len(list(player.playground.tree))
    (path,) = sessions(backend)
    async with coming_back(backend, file) as player:
        await player.press("r")
        await player.written(30)
    assert sessions(backend) == [path]
    assert len(read_session(path).branches) == count + 1


async def test_a_model_that_has_changed_takes_its_texts_along_and_says_so(backend: ScriptedBackend, file: Path) -> None:
    async with playing(backend, source=ModelSource("file", file)) as player:
        await made(player)
    backend.put(file, tiny_checkpoint(seed=9))
    async with coming_back(backend, file) as player:
        await player.until(lambda: "tiny.safetensors has changed" in "".join(player.app.told))
        await player.written(20)  # the model of now writes


async def test_a_damaged_session_is_named_and_the_model_opened(backend: ScriptedBackend, file: Path) -> None:
    path = backend.runs_directory / DIRECTORY / "damaged.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"version": 1, "branches": [{}]}')
    async with coming_back(backend, file) as player:
        await player.until(lambda: "damaged.json: is not a session" in "".join(player.app.told))
        await player.written(20)


async def test_earlier_sessions_are_listed_and_brought_back(backend: ScriptedBackend, file: Path) -> None:
    async with playing(backend, source=ModelSource("file", file)) as player:
        await made(player)
        text = player.playground.text
    async with playing(backend, source=ModelSource("file", file), size=(140, 40)) as player:
        await player.written(20)
        await player.press("o")
        await player.until(lambda: " texts, " in screen_text(player.app))
        await player.press("enter")
        await player.until(lambda: player.playground.state is not State.RESTORING and player.playground.text == text)


def test_only_the_newest_sessions_are_kept(backend: ScriptedBackend, tmp_path: Path) -> None:
    session = read_session(_written(tmp_path))
    for number in range(KEPT + 3):
        write_session(tmp_path / "many" / f"{number}.json", session)
    assert len(list_sessions(tmp_path / "many")) == KEPT


def _written(directory: Path) -> Path:
    recipe = {
        "version": 1,
        "checkpoint": "x",
        "sha256": "0" * 64,
        "prime": "",
        "length": 1,
        "seeds": [[0, 1]],
        "settings": [[0, {"temperature": 1.0, "top_k": None, "top_p": None, "min_p": None}]],
        "forced": [],
        "text_sha256": None,
    }
    branch = {
        "model": {"kind": "file", "path": "x"},
        "recipe": recipe,
        "text": "a",
        "origin": "start",
        "parent": None,
        "position": 0,
        "marks": [],
        "bookmarked": False,
    }
    path = directory / "one.json"
    path.write_text(json.dumps({"version": 1, "settings": {}, "prime": "", "branches": [branch], "current": 0}))
    return path


async def test_a_model_that_is_chosen_while_a_session_comes_back_writes_instead(
    backend: ScriptedBackend, file: Path, tmp_path: Path
) -> None:
    async with playing(backend, source=ModelSource("file", file)) as player:
        await made(player)
    another = ModelSource("file", backend.put(tmp_path / "other.safetensors", tiny_checkpoint(seed=1)))
    async with playing(backend, source=ModelSource("file", file)) as player:
        await player.written(5)
        player.play.restore_session(sessions(backend)[0])
        player.playground.open(load_model(another, backend))  # as the menu does, before the session is there
        assert player.playground.state is not State.RESTORING
        await player.until(lambda: player.playground.writer.count and player.playground.model.source == another)


async def test_a_text_of_a_kept_checkpoint_is_back(backend: ScriptedBackend) -> None:
    run = backend.add_run("abc", tiny_checkpoint())
    kept = kept_file(run.path, 9)
    kept.parent.mkdir()
    source = ModelSource("kept", backend.put(kept, tiny_checkpoint(step=9)))
    async with playing(backend, source=source) as player:
        await made(player)
        text = player.playground.text
    async with coming_back(backend, kept) as player:
        await player.until(lambda: player.playground.text == text)
        assert player.playground.model.source == source


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("current",), 1e400),
        (("settings", "speed"), "fast"),
        (("settings", "length"), -1),
        (("settings", "seed"), 0.5),
        (("branches", 0, "position"), 0.5),
        (("branches", 1, "parent"), 0.5),
        (("branches", 1, "parent"), True),
    ],
)
async def test_a_session_edited_by_hand_into_nonsense_is_refused(
    backend: ScriptedBackend, file: Path, place: tuple[str | int, ...], value: object
) -> None:
    async with playing(backend, source=ModelSource("file", file)) as player:
        await player.written(30)
        await player.press("r")
        await player.written(30)
        await player.stop()
    path = sessions(backend)[0]
    read_session(path)
    values = json.loads(path.read_bytes())
    part = values
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    path.write_text(json.dumps(values))
    with pytest.raises(SessionError, match="is not a session, or is damaged"):
        read_session(path)

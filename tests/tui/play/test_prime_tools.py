"""Primes: many lines, files, lines of the text behind the model, predictions, unknown characters."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from charrnn_tui.playground.models import ModelSource, prepare_model
from charrnn_tui.playground.prime_sources import PRIME_MOST, prime_from_file
from charrnn_tui.sampling.prime_reader import PrimeReader
from charrnn_tui.text.corpus import Corpus, load_corpus
from charrnn_tui.text.lines import Lines
from charrnn_tui.text.text_settings import TextSettings
from charrnn_tui.tui.dialogs.prime_file import PrimeFile
from charrnn_tui.tui.play.prime_input import PREDICTION_ENDS, PREDICTION_STARTS, PrimeInput
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint
from tests.tui.pilot import screen_text
from tests.tui.play.player import Player, playing

CHECKPOINT = tiny_checkpoint(val_loss=1.284)
SEED = 99  # the playground's next one


@pytest.fixture
def backend(tmp_path: Path) -> ScriptedBackend:
    backend = ScriptedBackend(tmp_path / "runs")
    backend.ship(CHECKPOINT)
    return backend


def input_of(player: Player) -> PrimeInput:
    return player.play.query_one(PrimeInput)


def predicted(prime: str, most: int = 60) -> str:
    model = prepare_model(ModelSource("shipped", Path("tiny.safetensors")), CHECKPOINT)
    return PrimeReader(model.network, model.vocabulary).predict(prime, most)


def told(player: Player) -> str:
    """What the notices say, unwrapped."""
    return "\n".join(player.app.told)


async def edit(player: Player, prime: str = "") -> PrimeInput:
    """In the field, with this prime."""
    await player.written()
    await player.press("p")
    player.pane.prime_field.put(prime)
    await player.until(lambda: player.playground.writer.prime == prime)
    return input_of(player)


# -- many lines --------------------------------------------------------------------------------------------------------


async def test_the_field_grows_with_its_lines_and_is_one_row_when_it_is_left(backend: ScriptedBackend) -> None:
    async with playing(backend) as player:
        editor = await edit(player)
        await player.press("a", "f4", "b", "f4", "f4", "c")
        await player.until(lambda: player.playground.writer.prime == "a\nb\n\nc")
        assert editor.size.height == 4
        rows = [line[9:].rstrip() for line in screen_text(player.app).splitlines()[2:5]]
        assert rows == ["a⏎", "b⏎", "⏎"]
        await player.press("escape")
        await player.until(lambda: editor.size.height == 1)
        assert "prime ▸ a⏎b⏎⏎c" in screen_text(player.app)


@pytest.mark.parametrize(("size", "rows"), [((80, 24), 6), ((60, 18), 4), ((20, 5), 1), ((140, 40), 6)])
async def test_it_takes_no_more_than_its_share_and_scrolls_to_the_cursor(
    backend: ScriptedBackend, size: tuple[int, int], rows: int
) -> None:
    async with playing(backend, size=size) as player:
        editor = await edit(player, "\n".join("abcdefgh" * 3)[:40])
        await player.until(lambda: editor.size.height == rows)
        await player.until(lambda: editor.scroll_offset.y == max(0, editor.virtual_size.height - rows) or rows == 1)
        await player.press("ctrl+home")
        assert editor.scroll_offset.y == 0
        await player.press("b")
        await player.until(lambda: player.playground.writer.prime.startswith("ba"))


async def test_a_paste_keeps_every_line_and_undo_takes_it_back_whole(backend: ScriptedBackend) -> None:
    async with playing(backend) as player:
        editor = await edit(player, "ab")
        editor.post_message(events.Paste("c\r\nd\re\x0cf"))
        await player.until(lambda: editor.value == "abc\nd\ne\x0cf")  # a form feed is no line break
        await player.press("ctrl+z")
        assert editor.value == "ab"
        await player.press("ctrl+y", "home", "shift+right", "ctrl+x")
        assert (editor.value, player.app.clipboard) == ("abc\nd\n\x0cf", "e")
        await player.press("up", "up", "ctrl+v")
        assert editor.value == "eabc\nd\n\x0cf"


async def test_the_mouse_sets_the_cursor_and_selects(backend: ScriptedBackend) -> None:
    async with playing(backend) as player:
        editor = await edit(player, "abcd\nefgh")
        await player.until(lambda: editor.size.height >= 2)
        await player.pilot.mouse_down(editor, offset=(1, 0))
        await player.pilot.hover(editor, offset=(2, 1))
        await player.pilot.mouse_up(editor, offset=(2, 1))
        await player.press("h")
        assert editor.value == "ahgh"


async def test_nothing_raw_is_drawn_in_the_field_either(backend: ScriptedBackend) -> None:
    nasty = "\x00\x07\x1b[31m\x9b\u202e\u200f\u2028[/red]a\tb"
    async with playing(backend) as player:
        editor = await edit(player)
        editor.post_message(events.Paste(nasty))
        await player.until(lambda: editor.value == nasty)
        for key in ("left", "escape"):
            await player.press(key)
            assert not set(screen_text(player.app)) & set("\x00\x07\x1b\x9b\u202e\u200f\u2028\t")


async def test_letters_go_into_the_field_and_nowhere_else(backend: ScriptedBackend) -> None:
    async with playing(backend) as player:
        editor = await edit(player)
        await player.press(*"grq/1?:")
        assert editor.value == "grq/1?:"
        assert player.app.screen is player.play


# -- predictions -------------------------------------------------------------------------------------------------------


async def test_behind_the_prime_stands_what_a_greedy_model_would_write_and_tab_takes_it(
    backend: ScriptedBackend,
) -> None:
    async with playing(backend) as player:
        editor = await edit(player, "abc")
        await player.until(lambda: editor.prediction)
        prediction = predicted("abc")
        assert editor.prediction == prediction
        shown = "".join(line[9:].rstrip() for line in screen_text(player.app).splitlines()[2:5])
        assert (PREDICTION_STARTS + prediction.replace("\n", "⏎")[:30].rstrip()) in shown
        assert PREDICTION_ENDS in shown
        await player.press("tab")
        assert editor.value == "abc" + prediction
        await player.until(lambda: player.playground.writer.prime == "abc" + prediction)
        assert player.app.focused is editor


async def test_a_word_of_it_can_be_taken_and_the_rest_stays(backend: ScriptedBackend) -> None:
    async with playing(backend) as player:
        prime = next(prime for prime in "abcdefgh" if len(predicted(prime).split()) > 1)
        editor = await edit(player, prime)
        await player.until(lambda: editor.prediction)
        prediction = editor.prediction
        word = prediction[: len(prediction) - len(prediction.lstrip())] + prediction.split()[0]
        await player.press("ctrl+right")
        assert editor.value == prime + word
        await player.until(lambda: editor.prediction == predicted(prime + word))


async def test_who_types_what_is_predicted_sees_the_rest_at_once(backend: ScriptedBackend) -> None:
    async with playing(backend) as player:
        editor = await edit(player, "ab")
        await player.until(lambda: editor.prediction)
        prediction = editor.prediction
        editor.insert(prediction[0])
        assert editor.prediction == prediction[1:]
        editor.insert("x")
        assert editor.prediction == ""


async def test_without_a_prediction_the_keys_do_what_they_do_elsewhere(backend: ScriptedBackend) -> None:
    async with playing(backend) as player:
        editor = await edit(player, "ab cd ef")
        await player.until(lambda: editor.prediction)
        await player.press("ctrl+left", "ctrl+left")
        assert editor.prediction == ""
        await player.press("ctrl+right", "h")
        assert editor.value == "ab cdh ef"
        await player.press("tab")
        assert player.app.focused is not editor


async def test_without_a_model_there_is_a_field_and_no_prediction(tmp_path: Path) -> None:
    async with playing(ScriptedBackend(tmp_path / "runs")) as player:
        await player.until(lambda: "no model yet" in screen_text(player.app))
        await player.press("p", "a", "é", "f3")
        assert (input_of(player).value, input_of(player).prediction) == ("aé", "")
        await player.until(lambda: "no training text" in told(player))


# -- unknown characters ------------------------------------------------------------------------------------------------


async def test_a_key_puts_the_nearest_known_characters_in_place_of_unknown_ones(backend: ScriptedBackend) -> None:
    async with playing(backend) as player:
        editor = await edit(player)
        editor.insert("Bé☃ a")
        await player.until(lambda: "F6 replaces B → b, é → e; nothing near: ☃ (U+2603)" in screen_text(player.app))
        await player.press("f6")
        assert editor.value == "be☃ a"
        await player.until(lambda: player.playground.writer.prime == "be a")
        await player.press("ctrl+z")
        assert editor.value == "Bé☃ a"


async def test_a_prime_in_the_other_unicode_form_is_converted_by_the_same_key(tmp_path: Path) -> None:
    backend = ScriptedBackend(tmp_path)
    backend.ship(tiny_checkpoint("abe\u0301"))
    async with playing(backend) as player:
        editor = await edit(player)
        editor.insert("b\u00e9")
        await player.until(lambda: "F6 converts it: the model has decomposed letters (NFD)" in screen_text(player.app))
        await player.press("f6")
        assert editor.value == "be\u0301"


# -- from a file -------------------------------------------------------------------------------------------------------


async def test_a_file_becomes_the_prime(backend: ScriptedBackend, tmp_path: Path) -> None:
    (tmp_path / "begin.txt").write_bytes(b"bad\r\nhead")
    async with playing(backend) as player:
        await player.written()
        await player.press("f2")
        assert isinstance(player.app.screen, PrimeFile)
        player.app.screen.query(Input).first().value = str(tmp_path / "begin.txt")
        await player.press("enter")
        await player.until(lambda: player.playground.writer.prime == "bad\nhead")
        await player.until(lambda: "prime: 8 characters of begin.txt" in told(player))
        await player.press("f2")
        assert player.app.screen.query(Input).first().value == str(tmp_path / "begin.txt")


async def test_of_a_long_file_the_end_is_the_prime_and_that_is_said(backend: ScriptedBackend, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("abc\n" * 6000)
    async with playing(backend, size=(140, 40)) as player:
        await player.written()
        await player.press("f2")
        player.app.screen.query(Input).first().value = str(tmp_path / "long.txt")
        await player.press("enter")
        await player.until(lambda: player.app.screen is player.play)
        assert player.pane.prime_field.prime == "abc\n" * (PRIME_MOST // 4)
        await player.until(lambda: "last 20,000 of 24,000 characters of" in told(player))


async def test_what_cannot_be_read_is_said_with_its_place_and_another_encoding_reads_it(
    backend: ScriptedBackend, tmp_path: Path
) -> None:
    (tmp_path / "old.txt").write_bytes("bad \u201e".encode("cp1252") + b"bed")
    async with playing(backend, size=(140, 40)) as player:
        await player.written()
        await player.press("f2")
        player.app.screen.query(Input).first().value = str(tmp_path / "old.txt")
        await player.press("enter")
        await player.until(lambda: "byte 0x84 at offset 4" in screen_text(player.app))
        player.app.screen.query(Input).last().value = "cp1252"
        await player.press("enter")
        await player.until(lambda: player.pane.prime_field.prime == "bad „bed")


# -- a line of the text ------------------------------------------------------------------------------------------------


TEXT = "bad bed\n\na head\nfeed\n" * 3


def learned(backend: ScriptedBackend, text: Path, sha256: str | None = None) -> None:
    """A run on this text, the newest of all."""
    run = backend.add_run("mine-1", CHECKPOINT)
    sha256 = load_corpus([text]).sha256 if sha256 is None else sha256
    run.write_settings({"corpus": [str(text)], "corpus_sha256": sha256, "settings": {"encoding": "utf-8"}})


async def test_a_random_line_of_the_text_behind_the_model_becomes_the_prime(
    backend: ScriptedBackend, tmp_path: Path
) -> None:
    text = tmp_path / "mine.txt"
    text.write_text(TEXT)
    learned(backend, text)
    corpus = load_corpus([text])
    lines = Lines(corpus.ids, corpus.vocabulary)
    number = lines.draw(SEED)
    assert number is not None
    async with playing(backend, size=(140, 40)) as player:
        await player.written()
        await player.press("f3")
        await player.until(lambda: player.playground.writer.prime == lines.line(number))
        words = f"prime: line {number + 1} of 13 of mine.txt"
        await player.until(lambda: words in told(player))
        assert "SHA-256" not in told(player)


async def test_a_text_that_has_changed_since_is_told_from_the_one_that_was_learned(
    backend: ScriptedBackend, tmp_path: Path
) -> None:
    text = tmp_path / "mine.txt"
    text.write_text("bed\n")
    learned(backend, text, sha256="0123456789abcdef")
    async with playing(backend, size=(140, 40)) as player:
        await player.written()
        await player.press("f3")
        await player.until(lambda: player.playground.writer.prime == "bed")
        await player.until(lambda: "its SHA-256 was 01234567" in told(player))


@pytest.mark.parametrize("shipped", [True, False])
async def test_a_text_that_is_not_there_is_named_with_the_way_out(
    backend: ScriptedBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shipped: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    if shipped:
        backend.ship(tiny_checkpoint(corpus="novel", corpus_sha256="0123"))
    else:
        learned(backend, tmp_path / "novel.txt", sha256="0123")
    async with playing(backend, size=(140, 40)) as player:
        await player.written()
        prime = player.playground.writer.prime
        await player.press("f3")
        await player.until(lambda: "novel.txt" in told(player))
        assert "F2 takes a prime from a file" in told(player)
        assert player.playground.writer.prime == prime


async def test_the_text_of_a_shipped_model_is_found_where_one_puts_it(
    backend: ScriptedBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "novel.txt").write_text("\n\nfeed a head\n")
    backend.ship(tiny_checkpoint(corpus="novel", corpus_sha256=load_corpus([tmp_path / "novel.txt"]).sha256))
    async with playing(backend) as player:
        await player.written()
        await player.press("f3")
        await player.until(lambda: player.playground.writer.prime == "feed a head")


def test_a_path_of_a_user_who_is_not_there_is_no_file_and_no_crash() -> None:
    with pytest.raises(ValueError, match="no such file"):
        prime_from_file("~nobody-of-this-name/begin.txt", "utf-8")


class WithoutPermission(ScriptedBackend):
    """May not read the texts of its runs."""

    def read_corpus(self, paths: Sequence[str], settings: TextSettings) -> Corpus:
        raise PermissionError(13, "Permission denied", paths[0])


async def test_a_text_that_may_not_be_read_is_said(backend: ScriptedBackend, tmp_path: Path) -> None:
    text = tmp_path / "mine.txt"
    text.write_text(TEXT)
    learned(backend, text)
    async with playing(WithoutPermission(backend.runs_directory, backend.checkpoints, backend.shipped)) as player:
        await player.written()
        await player.press("f3")
        await player.until(lambda: "mine.txt: cannot be read: Permission denied" in told(player))

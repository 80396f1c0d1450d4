"""The prime's tools in a real terminal, with a small model."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from charrnn_tui.checkpoint.checkpoint import Checkpoint, tensor_shapes
from charrnn_tui.checkpoint.safetensors_file import read_checkpoint, write_checkpoint
from charrnn_tui.run.directory import EventWriter, RunDirectory
from charrnn_tui.run.events import RunStarted
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.prime_reader import PrimeReader
from charrnn_tui.text.corpus import load_corpus
from charrnn_tui.text.vocabulary import Vocabulary
from tests.terminal.pseudo_terminal import PseudoTerminal
from tests.terminal.test_playground import ALPHABET, PROGRAM, environment

__all__ = ["environment"]  # a fixture
pytestmark = [pytest.mark.terminal, pytest.mark.timeout(240)]
F2, F3, F4, F6 = "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[17~"
CTRL_RIGHT, BACKSPACE, ESCAPE = "\x1b[1;5C", "\x7f", "\x1b"
PASTE = "\x1b[200~{}\x1b[201~"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Small, with random weights under which the likeliest is a line of several words."""
    random = np.random.default_rng(30)
    shapes = tensor_shapes(len(ALPHABET), n_hidden=16, n_layers=2)
    weights = {name: random.normal(0, 0.8, shape).astype(np.float32) for name, shape in shapes.items()}
    path = tmp_path / "small.safetensors"
    write_checkpoint(path, Checkpoint(weights, Vocabulary(ALPHABET), n_hidden=16, n_layers=2))
    return path


@pytest.fixture(params=[(80, 24), (140, 40)], ids=["80x24", "140x40"])
def field(
    request: pytest.FixtureRequest,
    model: Path,
    environment: dict[str, str],
) -> Iterator[PseudoTerminal]:
    """The prime's field, with `ab` in it and a prediction behind it."""
    with PseudoTerminal([*PROGRAM, str(model)], *request.param, environment) as terminal:
        terminal.wait_for("chars · ")
        terminal.type("pab")  # in one piece, as a slow line brings them
        terminal.wait_for(lambda screen: "prime ▸ ab‹" in screen)
        yield terminal


def prime_of(screen: str) -> str:
    """The rows of the field, without its label."""
    rows = [row.split("│")[0].rstrip() for row in screen.splitlines()]  # without the panel of a wide screen
    first = next(number for number, row in enumerate(rows) if "prime ▸ " in row)
    end = next((number for number in range(first + 1, len(rows)) if not rows[number].startswith(" " * 9)), len(rows))
    return "\n".join(row[9:] for row in [rows[first].replace("▸", " "), *rows[first + 1 : end]])


def squeezed(screen: str) -> str:
    return "".join(prime_of(screen).split())


def test_tab_takes_the_prediction_and_ctrl_right_a_word(field: PseudoTerminal, model: Path) -> None:
    checkpoint = read_checkpoint(model)
    reader = PrimeReader(CharModel(checkpoint), checkpoint.vocabulary)
    predicted = reader.predict("ab", 60)
    word, second, *_ = predicted.split()
    field.wait_for(lambda screen: squeezed(screen).startswith(f"ab‹{word}{second}"))
    field.type(CTRL_RIGHT)
    field.wait_for(lambda screen: squeezed(screen).startswith(f"ab{word}‹{second}"))
    more = reader.predict("ab" + word, 60)
    field.wait_for(lambda screen: squeezed(screen).startswith(f"ab{word}‹{''.join(more.split())}›"))
    field.type("\t")
    field.wait_for(lambda screen: squeezed(screen).startswith(f"ab{word}{''.join(more.split())}‹"))


def test_line_breaks_become_rows_and_one_row_again(field: PseudoTerminal) -> None:
    field.type(F4 + "cx" + BACKSPACE + PASTE.format("d\re"))
    field.wait_for(lambda screen: prime_of(screen).startswith("ab⏎\ncd⏎\ne"))
    field.type(ESCAPE)
    field.wait_for(lambda screen: "prime ▸ ab⏎cd⏎e" in screen)


def test_unknown_characters_are_named_with_the_nearest_and_replaced(field: PseudoTerminal) -> None:
    field.type("é", "☃")
    field.wait_for("F6 replaces é → e; nothing near: ☃ (U+2603)")
    field.type(F6)
    field.wait_for("abe☃")
    field.wait_for("skipped, nothing near: ☃ (U+2603)")


def test_no_escape_sequence_of_a_paste_reaches_the_terminal(field: PseudoTerminal) -> None:
    before = len(field.received)
    field.type(PASTE.format("\x07\x9b31m\u202e[/x]"))
    field.wait_for(lambda screen: "␇" in screen and "[/x]" in screen)
    sent = field.received[before:].decode("utf-8", "replace")
    assert not set(sent) & set("\x07\x9b\u202e")


def test_a_prime_is_read_from_a_file(field: PseudoTerminal, tmp_path: Path) -> None:
    (tmp_path / "begin.txt").write_text("head bed")
    (tmp_path / "bz.txt").write_bytes(b"ab\xff")
    field.type(F2)
    field.wait_for("prime from a file")
    field.type(*str(tmp_path / "bz.txt"), "\r")
    field.wait_for(lambda screen: "byte 0xff at offset 2" in re.sub(r"[\s│]+", " ", screen))
    field.type(*[BACKSPACE] * len("z.txt"))
    field.wait_for(lambda screen: not re.search(r"│ file .*z", screen))
    field.type("\x1b[C", "\r")  # the completion is begin.txt
    field.wait_for("prime ▸ head bed")


@pytest.mark.parametrize(("columns", "rows"), [(60, 18), (20, 5)])
def test_it_is_usable_in_a_small_terminal(
    columns: int,
    rows: int,
    model: Path,
    environment: dict[str, str],
) -> None:
    with PseudoTerminal([*PROGRAM, str(model)], columns, rows, environment) as terminal:
        terminal.wait_for("prime ▸")
        terminal.wait_for("chars · " if rows > 5 else "prime ▸")
        terminal.type("p")
        terminal.wait_for("‹")
        terminal.type("a", F4, "b", "c")
        terminal.wait_for(lambda screen: "bc" in screen.splitlines()[-rows + 1 if rows < 6 else 3])
        terminal.type(ESCAPE)
        terminal.wait_for("prime ▸ a⏎bc")


def test_a_random_line_of_the_text_behind_a_run_becomes_the_prime(
    tmp_path: Path,
    model: Path,
    environment: dict[str, str],
) -> None:
    text = tmp_path / "mine.txt"
    text.write_text("\nhead a bed\n\n\n")
    run = RunDirectory.create(tmp_path / "runs", "mine")
    with closing(EventWriter(run.events_file)) as events:
        events.append(RunStarted(time=1.0))
    run.write_settings({"corpus": [str(text)], "corpus_sha256": load_corpus([text]).sha256})
    model.rename(run.best_file)
    with PseudoTerminal([*PROGRAM], 80, 24, environment) as terminal:
        terminal.wait_for("mine-1 · best")
        terminal.wait_for("chars · ")
        terminal.type(F3)
        terminal.wait_for("prime ▸ head a bed")
        text.write_text("\nfed\n")
        terminal.type(F3)
        terminal.wait_for("prime ▸ fed")
        terminal.wait_for("SHA-256")


def test_the_palette_finds_the_tools_from_the_field(field: PseudoTerminal) -> None:
    field.type("\x10")
    field.wait_for("Search for commands")
    field.type(*"random")
    field.wait_for(lambda screen: re.search(r"random line.*key f3", screen, re.IGNORECASE))
    field.type("\r")
    field.wait_for(lambda screen: re.search(r"does\s+not\s+say\s+which", re.sub(r"[^\w\s]", " ", screen)) is not None)

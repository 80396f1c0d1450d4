"""ASCII characters for signs that a terminal cannot show."""

import ast
from pathlib import Path

import pytest

import charrnn_tui
from charrnn_tui.run.ascii import draws_ascii, encodable, in_ascii, signs_in_ascii
from charrnn_tui.run.states import state_sign

NOT_DRAWN = ("text/nearest.py", "textview/visible.py")  # tables of characters of texts
BRAILLE, LINES, BLOCKS = range(0x2800, 0x2900), range(0x2500, 0x2580), range(0x2580, 0x25A0)


def _strings(path: Path) -> list[str]:
    """The strings of a source without docstrings; a style sheet as one."""
    source = path.read_text("utf-8")
    if path.suffix != ".py":
        return [source]
    nodes = list(ast.walk(ast.parse(source)))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    constants = [node for node in nodes if isinstance(node, ast.Constant) and id(node) not in docstrings]
    return [node.value for node in constants if isinstance(node.value, str)]


def test_every_sign_in_our_sources_has_an_ascii_character() -> None:
    sources = [path for kind in ("*.py", "*.tcss") for path in Path(charrnn_tui.__file__).parent.rglob(kind)]
    signs = set[str]()
    for path in sources:
        if not str(path).endswith(NOT_DRAWN):
            signs |= {char for words in _strings(path) for char in words if not char.isascii() and char.isprintable()}
    assert len(signs) > 60
    assert {char for char in signs if not in_ascii(char).isascii()} == set()


@pytest.mark.parametrize("block", [BRAILLE, LINES, BLOCKS])
def test_whole_blocks_become_one_ascii_character_each(block: range) -> None:
    for code in block:
        drawn = signs_in_ascii(chr(code))
        assert len(drawn) == 1
        assert drawn.isascii()


def test_lines_blocks_and_braille_keep_their_shape() -> None:
    assert signs_in_ascii("╭──┬━┐") == "+--+=+"
    assert signs_in_ascii("│┊┃") == "|:|"
    assert signs_in_ascii("⠉⣀⣿⠤⠀") == "'_|. "
    assert len({signs_in_ascii(sign) for sign in "▁▂▃▄▅▆▇█"}) == 8


def test_the_states_of_a_run_differ() -> None:
    signs = [state_sign(state) for state in ("preparing", "training", "paused", "finished", "stopped", "interrupted")]
    assert len({in_ascii(sign) for sign in (*signs, state_sign("failed"))}) == 7


def test_letters_and_punctuation_of_texts_stay() -> None:
    text = "«Café» … — “naïve” × Привет 漢字"
    assert signs_in_ascii(text) == text
    assert in_ascii("a · b … 2×512") == "a | b . 2x512"


def test_an_encoding_without_a_character_gets_a_similar_one_or_a_question_mark() -> None:
    assert encodable("Café — “ü” 漢 → ы", "ascii") == 'Cafe - "u" ? > ?'
    assert encodable("Café — “ü”", "latin-1") == 'Café - "ü"'
    assert encodable("Café —", "utf-8") == "Café —"


@pytest.mark.parametrize(
    ("environment", "encoding", "expected"),
    [
        ({"TERM": "xterm-256color"}, "UTF-8", False),
        ({}, "utf8", False),
        ({"TERM": "linux"}, "UTF-8", True),
        ({"TERM": "xterm"}, "ANSI_X3.4-1968", True),
        ({"TERM": "xterm"}, "ISO-8859-1", True),
    ],
)
def test_the_locale_and_the_console_decide(environment: dict[str, str], encoding: str, expected: bool) -> None:
    assert draws_ascii(environment, encoding) == expected

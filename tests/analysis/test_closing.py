"""Quotations that a model continues are closed as a plain loop over its texts says, one after the other."""

import numpy as np
import pytest

from charrnn_tui.analysis import closing
from charrnn_tui.analysis.closing import MOST, TEMPERATURE, Closing, close_quotations, open_quotations
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.pins import Pin
from tests.playground.scripted_backend import tiny_checkpoint

ALPHABET = '\n "abcd“”'
CHECKPOINT = tiny_checkpoint(ALPHABET)
MODEL, VOCABULARY = CharModel(CHECKPOINT), CHECKPOINT.vocabulary
PARAGRAPH = 'ab cd "ab\ncd ab" dc “ca d” ab "cab\n\n'
TEXT = 12 * PARAGRAPH


def one_after_the_other(pins: tuple[Pin, ...], seed: int = 0) -> Closing:
    """Each quotation of the text behind its first BEFORE characters, read and continued alone."""
    openings = [place for place in range(closing.BEFORE, len(TEXT)) if is_opening(place)]
    random = np.random.default_rng(seed)
    noise = [random.gumbel(size=(len(openings), len(VOCABULARY))) for _ in range(MOST)]
    lengths = []
    for number, place in enumerate(openings):
        state = MODEL.initial_state()
        for token_id in VOCABULARY.encode(TEXT[place - closing.BEFORE : place]).tolist():
            state = MODEL.advance(token_id, state)
        token_id, written, mark = VOCABULARY.index[TEXT[place]], "", {'"': '"', "“": "”"}[TEXT[place]]
        while len(written) < MOST and not written.endswith(mark):
            logits, state = MODEL.step(token_id, state, pins)
            token_id = int((logits / TEMPERATURE + noise[len(written)][number]).argmax())
            written += VOCABULARY.tokens[token_id]
            lines = written.split("\n")
            if len(lines) > 2 and not lines[-2].strip():
                break
        if written.endswith(mark):
            lengths.append(len(written))
    return Closing(len(openings), len(lengths), float(np.median(lengths)) if lengths else None)


def is_opening(place: int) -> bool:
    begin = place // len(PARAGRAPH) * len(PARAGRAPH)
    return place - begin in (PARAGRAPH.index('"'), PARAGRAPH.index("“"), PARAGRAPH.rindex('"'))


@pytest.fixture(autouse=True)
def short_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "BEFORE", 60)


@pytest.mark.parametrize("pins", [(), (Pin(2, 3, 0.9),), (Pin(1, 1, -1), Pin(2, 5, 0.5, adds=True))])
def test_as_many_are_closed_as_one_after_the_other(pins: tuple[Pin, ...]) -> None:
    opened = open_quotations(MODEL, VOCABULARY, TEXT)
    found = close_quotations(MODEL, VOCABULARY, opened, pins)
    assert found == one_after_the_other(pins)
    assert 0 < found.closed < found.samples
    assert found.standard_error == pytest.approx(np.sqrt(found.share * (1 - found.share) / found.samples))


def test_a_sample_is_spread_over_the_text_and_a_seed_draws_it_again() -> None:
    opened = open_quotations(MODEL, VOCABULARY, TEXT, 5)
    assert len(opened) == 5
    drawn = [close_quotations(MODEL, VOCABULARY, opened, seed=seed) for seed in (1, 1, 2, 3, 4, 5)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1


def test_a_text_without_a_quotation_is_refused() -> None:
    with pytest.raises(ValueError, match="no quotation behind"):
        open_quotations(MODEL, VOCABULARY, 'a "b" ' + 100 * "c")


def test_both_readings_can_be_given_up() -> None:
    class Enough(Exception):
        pass

    def check() -> None:
        raise Enough

    with pytest.raises(Enough):
        open_quotations(MODEL, VOCABULARY, TEXT, check=check)
    opened = open_quotations(MODEL, VOCABULARY, TEXT)
    with pytest.raises(Enough):
        close_quotations(MODEL, VOCABULARY, opened, check=check)

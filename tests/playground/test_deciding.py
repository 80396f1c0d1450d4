"""What decided a character: each of the last ones left out in turn, on a page with prime, pins and changes."""

import time
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn_tui.analysis.memory import LAST
from charrnn_tui.playground.deciding import Deciders
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import PLAIN
from tests.playground.scripted_backend import tiny_checkpoint

CHECKPOINT = tiny_checkpoint()
MODEL = CharModel(CHECKPOINT)


class Asker:
    """Deciders whose jobs are drained by `until_idle`."""

    def __init__(self) -> None:
        self.jobs = Jobs()
        self.changed: list[tuple[int, int]] = []
        self.deciders = Deciders(self.jobs, lambda start, end: self.changed.append((start, end)))

    def until_idle(self) -> None:
        end = time.monotonic() + 20
        while not self.jobs.idle:
            assert time.monotonic() < end, "a job never ended"
            self.jobs.drain()
            time.sleep(0.001)


def page(prime: str, length: int, pin: str | None = None) -> GeneratedText:
    sampler = Sampler(MODEL, CHECKPOINT.vocabulary, replace(PLAIN, pin=pin), seed=3, prime=prime)
    text = GeneratedText(sampler, prime, 3)
    for _ in range(length):
        text.write(sampler)
    return text


def shares(ids: list[int], first: int, pin: str | None) -> NDArray[np.float64]:
    """Of the character behind these ids; the pin holds from the written one `first` on."""
    state, logits = MODEL.initial_state(), None
    pins = replace(PLAIN, pin=pin).pins
    for place, token_id in enumerate(ids):
        logits, state = MODEL.step(token_id, state, pins if place >= first else ())
    assert logits is not None
    exponentials = np.exp(logits.astype(np.float64) - logits.max())
    return exponentials / exponentials.sum()


@pytest.mark.parametrize(("prime", "place"), [("abc", 3), ("abc", 20), ("abc", 60), ("", 5), ("abc" * 30, 92)])
def test_each_of_the_last_characters_is_left_out_in_turn(prime: str, place: int) -> None:
    text, asker = page(prime, 100), Asker()
    asker.deciders.ask(text, place)
    asker.until_idle()
    decision = asker.deciders.decision
    assert decision is not None
    begin = max(0, place - LAST)
    assert (decision.text, decision.begin, decision.place) == (text, begin, place)
    before = [CHECKPOINT.vocabulary.index["\n"]] if not prime else []  # an empty prime is read as a line break
    ids = [*before, *CHECKPOINT.vocabulary.encode(prime).tolist(), *text.ids][: place + len(before)]
    with_all = shares(ids, 999, None)
    for number, influence in enumerate(decision.influences):
        left_out = begin + number + len(before)
        without = shares(ids[:left_out] + ids[left_out + 1 :], 999, None)
        assert influence == pytest.approx(np.abs(with_all - without).sum() / 2, abs=1e-5)
    assert asker.changed == [(begin, place)]


def test_a_pin_holds_in_both_readings() -> None:
    text, asker = page("", 60, "2.1=0.9"), Asker()
    asker.deciders.ask(text, 50)
    asker.until_idle()
    ids = [CHECKPOINT.vocabulary.index["\n"], *text.ids][:51]
    expected = np.abs(shares(ids, 1, "2.1=0.9") - shares(ids[:50], 1, "2.1=0.9")).sum() / 2
    decision = asker.deciders.decision
    assert decision is not None
    assert decision.influences[-1] == pytest.approx(expected, abs=1e-5)


def test_of_what_is_asked_for_meanwhile_only_the_newest_is_computed() -> None:
    text, asker = page("abc", 100), Asker()
    for place in (50, 60, 70):
        asker.deciders.ask(text, place)
    asker.until_idle()
    assert asker.changed == [(10, 50), (10, 50), (30, 70)]
    asker.deciders.ask(text, 70)
    assert asker.jobs.idle


def test_nothing_decides_a_character_of_the_prime() -> None:
    text, asker = page("abc", 10), Asker()
    asker.deciders.ask(text, 2)
    assert asker.jobs.idle


def test_outside_of_the_last_characters_nothing_is_known() -> None:
    text, asker = page("abc", 100), Asker()
    asker.deciders.ask(text, 70)
    asker.until_idle()
    decision = asker.deciders.decision
    assert decision is not None
    found = decision.between(20, 80)
    assert np.isfinite(found).tolist() == [30 <= place < 70 for place in range(20, 80)]
    assert (found[10:50] == decision.influences).all()

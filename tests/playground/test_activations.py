"""The activations of all units along a text, beside a network that reads the text from its beginning."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn_tui.playground import activations
from charrnn_tui.playground.activations import Activations
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.generated_text import STATE_EVERY, GeneratedText
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from tests.playground.scripted_backend import tiny_checkpoint

CHECKPOINT = tiny_checkpoint()
MODEL = CharModel(CHECKPOINT)
PLAIN = SamplingSettings()
PRIME = "abc h"
LENGTH = 3 * STATE_EVERY + 50
ROUNDED = 0.5 / 127 + 1e-6


class Watched:
    """Activations whose jobs are drained by `until`, and what they said has become known."""

    def __init__(self) -> None:
        self.jobs = Jobs()
        self.changed: list[tuple[int, int]] = []
        self.activations = Activations(self.jobs, lambda start, end: self.changed.append((start, end)))

    def until_idle(self) -> None:
        end = time.monotonic() + 20
        while not self.jobs.idle:
            assert time.monotonic() < end, "a job never ended"
            self.jobs.drain()
            time.sleep(0.001)

    def all_of(self, text: GeneratedText, unit: int, first: int = 0) -> NDArray[np.float32]:
        last = len(text.prime) + len(text)
        self.activations.of(text, unit, first, last)
        self.until_idle()
        return self.activations.of(text, unit, first, last)


def written(length: int, pin: str | None = None) -> tuple[GeneratedText, Callable[[int], None]]:
    """A text, and what writes so many characters more, half of the first ones without the pin."""
    sampler = Sampler(MODEL, CHECKPOINT.vocabulary, PLAIN, seed=1, prime=PRIME)
    text = GeneratedText(sampler, PRIME, 1)

    def write(count: int) -> None:
        for number in range(count):
            if pin is not None and number == count // 2:
                sampler.settings = replace(PLAIN, pin=pin)
            text.write(sampler)

    write(length)
    return text, write


def reference(text: GeneratedText) -> NDArray[np.float32]:
    """tanh of the cells, (characters, units), of a network that reads prime and text one by one."""
    state, found = MODEL.initial_state(), []
    for token_id in CHECKPOINT.vocabulary.encode(text.prime).tolist():
        state = MODEL.advance(token_id, state)
        found.append(np.tanh(state.c).ravel())
    for place, token_id in enumerate(text.ids):
        state = MODEL.advance(token_id, state, text.settings_at(place).pins)
        found.append(np.tanh(state.c).ravel())
    return np.stack(found)


@pytest.mark.parametrize("pin", [None, "2.3=0.5 1.1+=0.25"])
def test_they_are_those_of_a_network_that_reads_the_whole_page(pin: str | None) -> None:
    (text, _), watched = written(LENGTH, pin), Watched()
    expected = reference(text)
    for unit in (0, 10, 15):
        assert np.abs(watched.all_of(text, unit) - expected[:, unit]).max() <= ROUNDED


def test_nothing_is_known_at_first_and_only_what_is_asked_for_is_computed() -> None:
    (text, _), watched = written(LENGTH), Watched()
    assert watched.jobs.idle
    begin = len(PRIME) + STATE_EVERY
    assert np.isnan(watched.activations.of(text, 3, begin + 5, begin + 10)).all()
    watched.until_idle()
    assert watched.changed == [(begin, begin + STATE_EVERY)]
    assert np.isfinite(watched.activations.of(text, 3, begin, begin + STATE_EVERY)).all()
    assert watched.jobs.idle
    assert np.isnan(watched.activations.of(text, 3, begin - 1, begin)).all()


def test_of_a_text_that_grows_only_the_new_characters_become_known() -> None:
    (text, write), watched = written(STATE_EVERY + 20), Watched()
    watched.all_of(text, 0)
    before = len(PRIME) + len(text)
    watched.changed.clear()
    write(30)
    found = watched.all_of(text, 5)
    assert watched.changed == [(before, before + 30)]
    assert np.abs(found - reference(text)[:, 5]).max() <= ROUNDED


def test_another_text_begins_anew_and_a_limited_number_of_blocks_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activations, "BLOCKS_MOST", 2)
    (first, _), (second, _), watched = written(LENGTH), written(LENGTH, "1.2=1"), Watched()
    end = len(PRIME) + LENGTH
    watched.activations.of(first, 1, len(PRIME), end)
    watched.until_idle()
    assert 0 < np.isfinite(watched.activations.of(first, 1, len(PRIME), end)).sum() <= 2 * STATE_EVERY
    found = watched.all_of(second, 1, first=end - 20)
    assert np.abs(found - reference(second)[-20:, 1]).max() <= ROUNDED


def test_where_the_weights_are_gone_nothing_is_known_and_nobody_tries_again() -> None:
    (text, write), watched = written(10), Watched()
    for seed in (1, 2):
        text.change_network(CharModel(tiny_checkpoint(seed=seed)), text.snapshot_at(len(text)).state)
        write(10)
    assert np.isnan(watched.all_of(text, 0)[: len(PRIME)]).all()
    assert watched.jobs.idle

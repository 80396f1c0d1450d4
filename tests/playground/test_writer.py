"""The writer: speed, pages, budget, and the text it must write."""

import math
from dataclasses import asdict, replace
from itertools import islice

import numpy as np
import pytest

from charrnn_tui.playground.controls import PlaySettings
from charrnn_tui.playground.writer import Writer
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.recipe import Recipe
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.sampling.stops import NEVER, Stop
from tests.playground.scripted_backend import ALPHABET, Clock, tiny_checkpoint

CHECKPOINT = tiny_checkpoint()
MODEL = CharModel(CHECKPOINT)
A, B = SamplingSettings(0.8, 5), SamplingSettings(2.0)


def sampler(prime: str = "", seed: int = 0, settings: SamplingSettings = A) -> Sampler:
    return Sampler(MODEL, CHECKPOINT.vocabulary, settings, seed=seed, prime=prime)


def written(count: int, prime: str = "", seed: int = 7, settings: SamplingSettings = A) -> str:
    return "".join(character.character for character in islice(sampler(prime, seed, settings), count))


def play_settings(sampling: SamplingSettings, speed: int | None = None, length: int | None = None) -> PlaySettings:
    return PlaySettings(**asdict(sampling), speed=speed, length=length)


def writer_at(clock: Clock, prime: str = "", speed: int | None = None, length: int | None = None) -> Writer:
    writer = Writer(clock)
    writer.apply(play_settings(A, speed, length))
    writer.begin(sampler(prime), prime, seed=7)
    return writer


def test_it_writes_what_a_sampler_with_this_seed_writes() -> None:
    writer = writer_at(Clock(), "abc", length=300)
    assert writer.advance(1.0) == writer.text == written(300, "abc")
    assert len(writer.generated.surprises) == len(writer.generated.entropies) == writer.count == 300


def test_the_speed_says_how_much_is_written_by_when() -> None:
    clock = Clock()
    writer = writer_at(clock, speed=20)
    assert writer.advance(1.0) == ""
    for _ in range(40):
        clock.now += 0.05
        assert len(writer.advance(1.0)) <= 2
    assert writer.count == pytest.approx(40, abs=1)
    assert writer.chars_per_second == pytest.approx(20, rel=0.1)


def test_one_character_a_second_is_possible() -> None:
    clock = Clock()
    writer = writer_at(clock, speed=1)
    for _ in range(100):
        clock.now += 0.05
        writer.advance(1.0)
    assert 4 <= writer.count <= 5


def test_after_a_stall_it_does_not_catch_up() -> None:
    clock = Clock()
    writer = writer_at(clock, speed=100)
    clock.now += 60
    assert len(writer.advance(1.0)) == 20


def test_it_keeps_to_its_budget_of_time() -> None:
    class Ticking(Clock):
        def __call__(self) -> float:
            self.now += 0.001
            return self.now

    writer = writer_at(Ticking())
    assert 10 <= len(writer.advance(0.015)) <= 16


def test_it_rests_at_the_end_of_a_page_and_goes_on_with_another() -> None:
    writer = writer_at(Clock(), length=50)
    writer.advance(1.0)
    assert writer.resting
    assert writer.advance(1.0) == ""
    writer.go_on()
    writer.advance(1.0)
    assert writer.text == written(100)


def test_a_longer_page_ends_a_rest_and_a_shorter_one_does_not() -> None:
    writer = writer_at(Clock(), length=50)
    writer.advance(1.0)
    writer.apply(play_settings(A, length=20))
    assert writer.resting
    writer.apply(play_settings(A, length=80))
    assert writer.writing
    writer.advance(1.0)
    assert writer.count == 80


def test_stopping_within_a_page_does_not_move_its_end() -> None:
    clock = Clock()
    writer = writer_at(clock, speed=100, length=50)
    clock.now += 0.2
    writer.advance(1.0)
    writer.stop()
    assert not writer.resting
    writer.apply(play_settings(A, length=50))
    writer.go_on()
    writer.advance(1.0)
    assert writer.count == 50


def test_a_setting_changed_in_mid_stream_acts_on_what_follows_only() -> None:
    writer = writer_at(Clock(), length=40)
    writer.advance(1.0)
    writer.apply(play_settings(B, length=80))
    writer.advance(1.0)
    reference = sampler(seed=7)
    first = "".join(next(reference).character for _ in range(40))
    reference.settings = B
    assert writer.text == first + "".join(next(reference).character for _ in range(40))


def test_restarting_needs_no_second_look_at_the_prime() -> None:
    writer = writer_at(Clock(), "abcabc", length=60)
    first = writer.advance(1.0)
    assert writer.generated is not None
    writer.restart(writer.generated, seed=8)
    assert writer.advance(1.0) == written(60, "abcabc", seed=8) != first
    writer.restart(writer.generated, seed=7)
    assert writer.advance(1.0) == first


def test_newer_weights_go_on_from_the_old_ones_state() -> None:
    writer = writer_at(Clock(), length=30)
    first = writer.advance(1.0)
    writer.change_model(CharModel(CHECKPOINT))
    writer.apply(play_settings(A, length=60))
    assert first + writer.advance(1.0) == written(60)


def test_nats_per_char_are_the_mean_surprise() -> None:
    writer = writer_at(Clock(), length=100)
    writer.advance(1.0)
    assert writer.nats_per_char == pytest.approx(math.log(2) * float(np.mean(writer.generated.surprises)))
    assert 0 < writer.nats_per_char < 2 * math.log(len(ALPHABET))


def test_a_model_without_numbers_stops_it() -> None:
    writer = writer_at(Clock())
    assert writer.sampler is not None
    writer.sampler.logits[:] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        writer.advance(1.0)
    assert not writer.writing


def test_without_a_model_nothing_happens() -> None:
    writer = Writer(Clock())
    writer.go_on()
    assert not writer.writing
    assert writer.advance(1.0) == ""


def stopping_at(stop: str | None, length: int | None = None) -> PlaySettings:
    return replace(play_settings(A, length=length), stop=stop)


def test_a_text_ends_behind_its_stop_and_goes_on_to_the_next_one() -> None:
    writer, whole = Writer(Clock()), written(600)
    writer.apply(stopping_at(whole[100:102], length=600))
    writer.begin(sampler(), "", seed=7)
    ends = [at for at in range(600) if whole[:at].endswith(whole[100:102])]
    for end in ends[:3]:
        writer.advance(1.0)
        assert (writer.text, writer.writing, writer.at_stop) == (whole[:end], False, True)
        writer.go_on()
        assert not writer.at_stop
    writer.apply(stopping_at(None, length=600))
    writer.advance(1.0)
    assert (writer.at_stop, writer.resting) == (False, True)


def test_a_stop_that_straddles_two_slices_ends_the_text_all_the_same() -> None:
    clock, whole = Clock(), written(300)
    writer = Writer(clock)
    writer.apply(replace(stopping_at(whole[50:54]), speed=1))
    writer.begin(sampler(), "", seed=7)
    for _ in range(400):
        clock.now += 1.0
        writer.advance(1.0)
    assert writer.text == whole[: whole.index(whole[50:54]) + 4]


def test_the_recipe_of_a_text_says_what_ended_it_unless_it_went_on() -> None:
    writer, whole = Writer(Clock()), written(600)
    writer.apply(stopping_at(whole[100:102], length=600))
    text = writer.begin(sampler(), "", seed=7)
    writer.advance(1.0)
    assert Recipe.of(text, "model.safetensors", "a" * 64).stop == Stop((whole[100:102],))
    writer.go_on()
    writer.advance(1.0)
    assert Recipe.of(text, "model.safetensors", "a" * 64).stop == NEVER

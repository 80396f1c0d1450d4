"""The controls' ladders, and values as they are typed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.playground.controls import (
    BAN,
    CONTROLS,
    DEFAULTS,
    DRY,
    LENGTH,
    MIN_P,
    ONLY,
    PIN,
    SEED,
    SPEED,
    STOP,
    TEMPERATURE,
    TOP_K,
    TOP_P,
    PlayControl,
    Value,
    configured_settings,
)
from charrnn_tui.run.config import DEFAULTS as CONFIG_DEFAULTS
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.text.vocabulary import Vocabulary
from tests.cli.conftest import random_checkpoint


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_steps_lead_through_the_whole_ladder_and_stay_at_its_ends(control: PlayControl) -> None:
    if not control.ladder:
        assert control.step(replace(DEFAULTS, seed=0), -1).seed == 0
        return
    settings = control.with_value(DEFAULTS, control.ladder[0])
    seen = [control.value(settings)]
    for _ in control.ladder:
        settings = control.step(settings, 1)
        seen.append(control.value(settings))
    assert seen == [*control.ladder, control.ladder[-1]]
    for _ in control.ladder:
        settings = control.step(settings, -1)
    assert control.value(settings) == control.ladder[0]


@pytest.mark.parametrize(
    "control", [control for control in CONTROLS if control.ladder], ids=lambda control: control.name
)
def test_every_value_of_a_ladder_is_one_a_sampler_takes_and_can_be_typed(control: PlayControl) -> None:
    for value in control.ladder:
        settings = control.with_value(DEFAULTS, value)
        assert settings.sampling.temperature == settings.temperature
        assert control.typed(DEFAULTS, control.shown(settings)) == settings


@pytest.mark.parametrize(
    ("control", "typed", "by", "expected"),
    [
        (TOP_K, 7, 1, 10),
        (TOP_K, 7, -1, 5),
        (TOP_K, 900, 1, None),
        (TOP_P, 0.93, 1, 0.95),
        (TOP_P, 0.93, -1, 0.9),
        (TEMPERATURE, 0.82, 1, 0.85),
        (TEMPERATURE, 0.82, -5, 0.6),
        (TEMPERATURE, 5.0, -1, 2.0),
        (SPEED, 5000, 1, None),
        (SPEED, 5000, -1, 1000),
        (SEED, 42, 5, 47),
        (STOP, "END", 1, "END"),
        (STOP, "END", -1, "\n\n"),
        (STOP, "END", -5, None),
        (BAN, "xyz", 1, "xyz"),
        (BAN, "xyz", -1, None),
    ],
)
def test_from_a_typed_value_a_step_leads_to_its_neighbour(
    control: PlayControl, typed: Value, by: int, expected: Value
) -> None:
    assert control.value(control.step(control.with_value(DEFAULTS, typed), by)) == expected


@pytest.mark.parametrize(
    ("control", "text", "expected"),
    [
        (TOP_K, "off", None),
        (TOP_K, " 12 ", 12),
        (TEMPERATURE, "0,75", 0.75),
        (TEMPERATURE, "3", 3.0),
        (TOP_P, "", None),
        (MIN_P, ".05", 0.05),
        (SEED, "123456789", 123456789),
        (SPEED, "60/s", 60),
        (SPEED, "Unlimited", None),
        (LENGTH, "2,500", 2500),
        (LENGTH, "2,500 chars", 2500),
        (LENGTH, "no limit", None),
        (DRY, "0.8", 0.8),
        (STOP, "Line", "\n"),
        (STOP, "paragraph", "\n\n"),
        (STOP, '"line"', "line"),
        (STOP, "END", "END"),
        (STOP, r"\n--\t\\n", "\n--\t\\n"),
        (STOP, " OFF ", None),
        (BAN, "Qq", "Qq"),
        (BAN, " ", " "),
        (BAN, '" "', " "),
        (BAN, '"', '"'),
        (ONLY, "\\d", "\\d"),
        (ONLY, "", None),
        (PIN, " 2.17=-1 ", "2.17=-1"),
        (PIN, "off", None),
    ],
)
def test_values_are_read_as_people_write_them(control: PlayControl, text: str, expected: Value) -> None:
    assert control.value(control.typed(DEFAULTS, text)) == expected


@pytest.mark.parametrize(
    ("control", "text"),
    [
        (TOP_K, "0"),
        (TOP_K, "five"),
        (TEMPERATURE, "-1"),
        (TEMPERATURE, "nan"),
        (TEMPERATURE, "inf"),
        (TEMPERATURE, "off"),
        (TOP_P, "1.5"),
        (SEED, "-3"),
        (SEED, "9" * 30),
        (LENGTH, "0"),
        (PIN, "17"),
        (PIN, "2.17=5"),
    ],
)
def test_what_is_no_value_is_refused_in_one_line(control: PlayControl, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{control.name}: ") as refusal:
        control.typed(DEFAULTS, text)
    assert "\n" not in str(refusal.value)


@given(st.text(min_size=1), st.sampled_from([STOP, BAN, ONLY]))
def test_every_text_can_be_typed_as_it_is_shown(text: str, control: PlayControl) -> None:
    settings = control.with_value(DEFAULTS, text)
    shown = control.shown(settings)
    assert shown.isprintable()
    assert control.typed(DEFAULTS, shown) == settings


@pytest.mark.parametrize(
    ("control", "value", "told"),
    [
        (STOP, "aЖ", r"^stop has characters .*'Ж' \(U\+0416\) at position 1"),
        (BAN, "Ж", "^ban has characters"),
        (BAN, "abc", "^ban leaves no character"),
        (ONLY, "Ж", "^only has characters"),
        (PIN, "3.1=1", "^pin 3.1: the model has 2 layers of 16 units"),
    ],
)
def test_a_text_that_a_model_cannot_follow_is_refused_in_one_line(control: PlayControl, value: str, told: str) -> None:
    vocabulary = Vocabulary("abc")
    network = CharModel(random_checkpoint(vocabulary))
    with pytest.raises(ValueError, match=told):
        control.with_value(DEFAULTS, value).check(vocabulary, network)
    control.with_value(DEFAULTS, "1.1=1" if control is PIN else "a").check(vocabulary, network)


def test_the_defaults_of_the_settings_file_are_those_of_the_controls() -> None:
    assert configured_settings(CONFIG_DEFAULTS.play) == DEFAULTS
    changed = configured_settings(replace(CONFIG_DEFAULTS.play, top_k="off", speed="off", temperature=1.5))
    assert changed == replace(DEFAULTS, top_k=None, speed=None, temperature=1.5)

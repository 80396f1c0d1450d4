"""Units that are held at a value, beside the equations of the cell."""

import json
from itertools import islice

import numpy as np
import pytest

from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.generated_text import GeneratedText
from charrnn_tui.sampling.pins import LARGEST, Pin, check_pins, parse_pins
from charrnn_tui.sampling.recipe import Recipe, follow
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings
from charrnn_tui.text.vocabulary import Vocabulary
from tests.cli.conftest import random_checkpoint

VOCABULARY = Vocabulary("abcd \n")
CHECKPOINT = random_checkpoint(VOCABULARY, n_hidden=12, n_layers=2)
MODEL = CharModel(CHECKPOINT)


def step_by_hand(token_id: int, h: np.ndarray, c: np.ndarray, pins: tuple[Pin, ...]) -> np.ndarray:
    """One character by the equations, float64: logits; h and c, (L, H), in place."""
    w, x = CHECKPOINT.weights, np.eye(len(VOCABULARY))[token_id]
    for layer in range(2):
        names = (f"lstm.{part}_l{layer}" for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        w_ih, w_hh, b_ih, b_hh = (w[name].astype(float) for name in names)
        i, f, g, o = np.split(w_ih @ x + b_ih + w_hh @ h[layer] + b_hh, 4)
        i, f, g, o = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), np.tanh(g), 1 / (1 + np.exp(-o))
        c[layer] = f * c[layer] + i * g
        for pin in pins:
            if pin.layer == layer + 1:
                activation = np.tanh(c[layer, pin.unit - 1]) + pin.value if pin.adds else pin.value
                c[layer, pin.unit - 1] = np.arctanh(np.clip(activation, -LARGEST, LARGEST))
        x = h[layer] = o * np.tanh(c[layer])
    return w["fc.weight"].astype(float) @ x + w["fc.bias"]


@pytest.mark.parametrize("text", ["1.3=-0.7", "2.12+=0.4", "1.1=1, 2.5=0.25 2.6+=-0.9"])
def test_a_pinned_step_is_that_of_the_equations(text: str) -> None:
    pins, state = parse_pins(text), MODEL.initial_state()
    h, c = np.zeros((2, 12)), np.zeros((2, 12))
    for token_id in (0, 3, 2, 5, 1):
        logits, state = MODEL.step(token_id, state, pins)
        np.testing.assert_allclose(logits, step_by_hand(token_id, h, c, pins), atol=1e-4)
    np.testing.assert_allclose(state.h, h, atol=1e-4)


def test_several_texts_are_pinned_alike() -> None:
    pins, state = parse_pins("2.4=0.5"), MODEL.initial_state(3)
    ids = np.array([1, 4, 1])
    logits, after = MODEL.step(ids, state, pins)
    for text, token_id in enumerate(ids.tolist()):
        alone, alone_after = MODEL.step(token_id, MODEL.initial_state(), pins)
        np.testing.assert_allclose(logits[text], alone, atol=1e-5)
        np.testing.assert_allclose(after.c[:, text], alone_after.c, atol=1e-5)


def test_pins_are_read_as_they_are_written() -> None:
    assert parse_pins("2.17=-1,1.3+=.5") == (Pin(2, 17, -1.0), Pin(1, 3, 0.5, adds=True))


@pytest.mark.parametrize(
    "text", ["", "x", "2=1", "0.1=1", "1.0=1", "1.1=2", "1.1=nan", "1.1", "1.1=", "1.1=1e9", "١.1=1"]
)
def test_what_is_no_pin_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"^pin .*2\.17=-1") as problem:
        SamplingSettings(pin=text)
    assert "\n" not in str(problem.value)


def test_a_unit_that_the_network_lacks_is_named() -> None:
    check_pins(parse_pins("2.12=1"), 2, 12)
    for text in ("3.1=1", "1.13=1"):
        with pytest.raises(ValueError, match="2 layers of 12 units"):
            check_pins(parse_pins(text), 2, 12)


def test_pins_that_come_in_mid_text_are_replayed_restored_and_forked() -> None:
    sampler = Sampler(MODEL, VOCABULARY, SamplingSettings(0.7), seed=3, prime="ab")
    text = GeneratedText(sampler, "ab", 3)
    for position in range(300):
        if position == 140:
            sampler.settings = SamplingSettings(0.7, pin="2.3=1")
        if position == 200:
            sampler.settings = SamplingSettings(0.7)
        text.write(sampler)
    for position, end in ((100, 140), (139, 140), (150, 200), (199, 200), (260, 300), (300, 300)):
        snapshot = text.snapshot_at(position)
        again = Sampler(MODEL, VOCABULARY, text.settings_at(min(position, 299)), seed=0)
        again.restore(snapshot)
        assert "".join(each.character for each in islice(again, end - position)) == text.text[position:end]
        np.testing.assert_array_equal(text.fork(position).snapshot_at(position).state.c, snapshot.state.c)
    recipe = Recipe.parse(json.dumps(Recipe.of(text, "m", "0" * 64).as_json()))
    written = follow(recipe, recipe.start(MODEL, VOCABULARY))
    assert "".join(each.character for each in written) == text.text
    assert recipe.as_json()["version"] == 2


def test_a_pin_changes_the_text_and_none_leaves_it_alone() -> None:
    def written(settings: SamplingSettings) -> str:
        return "".join(each.character for each in islice(Sampler(MODEL, VOCABULARY, settings, seed=1), 200))

    assert written(SamplingSettings()) == written(SamplingSettings(pin="2.3+=0"))
    assert written(SamplingSettings()) != written(SamplingSettings(pin="2.3=1"))

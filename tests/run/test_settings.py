"""Settings: the notebook's defaults, presets, ranges; and what suits a small text."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn_tui.run.fitting import LEAST_SEQ_LENGTH, fit_to_text, with_rare_validations
from charrnn_tui.run.settings import PRESETS, SettingsError, TrainSettings, settings_for
from charrnn_tui.text.batches import TextTooShort, check_geometry


def test_the_defaults_are_the_notebook_s() -> None:
    settings = settings_for("notebook")
    assert settings == TrainSettings(print_every=settings.print_every)
    assert (settings.n_hidden, settings.n_layers, settings.drop_prob, settings.epochs) == (512, 2, 0.5, 20)
    assert (settings.batch_size, settings.seq_length, settings.lr, settings.clip) == (128, 100, 0.001, 5)
    assert (settings.val_frac, TrainSettings().print_every) == (0.1, 20)


def test_the_notebook_s_preset_validates_less_often_unless_asked() -> None:
    assert settings_for("notebook").print_every == 100
    assert settings_for("notebook", print_every=20).print_every == 20


def test_what_is_given_wins_over_the_preset() -> None:
    settings = settings_for("quick", lr=0.01, epochs=None)
    assert settings.lr == 0.01
    assert settings.epochs == PRESETS["quick"]["epochs"]
    assert settings.preset == "quick"


def test_an_unknown_preset_is_told_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match=r"--preset: 'slow' is not one of notebook, quick"):
        settings_for("slow")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("n_hidden", 0, "--n-hidden: 0 is not a whole number from 1 to 16,384"),
        ("n_layers", 2.0, "--n-layers: 2.0 is not a whole number from 1 to 64"),
        ("epochs", True, "--epochs: True is not a whole number"),
        ("seed", -1, "--seed: -1 is not a whole number from 0"),
        ("max_steps", 0, "--max-steps: 0 is not a whole number from 1"),
        ("patience", 0, "--patience: 0 is not a whole number from 1"),
        ("lr", 0, "--lr: 0 is not a number between 0 and 10"),
        ("lr", float("nan"), "--lr: nan is not a number between 0 and 10"),
        pytest.param("lr", 10**400, f"--lr: {10**400} is not a number between 0 and 10", id="lr-no-float-holds"),
        ("clip", "5", "--clip: '5' is not a number between 0 and 1e+06"),
        ("drop_prob", 1.0, "--drop-prob: 1.0 is not a number from 0 to 0.99"),
        ("val_frac", -0.1, "--val-frac: -0.1 is not a number from 0 to 0.9"),
        ("device", "tpu", "--device: 'tpu' is not one of auto, cpu, cuda, mps"),
    ],
)
def test_a_value_out_of_range_is_refused_by_its_option_s_name(field: str, value: object, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_for("notebook", **{field: value})
    assert str(caught.value).startswith(message)
    assert caught.value.field == field


def test_patience_needs_validations() -> None:
    with pytest.raises(SettingsError, match="--patience: counts validations, and --val-frac 0 leaves no text for them"):
        settings_for("quick", patience=3, val_frac=0.0)


def test_settings_survive_json_and_other_versions() -> None:
    settings = settings_for("quick", threads=2, max_steps=7)
    assert TrainSettings.from_json(settings.to_json() | {"from_the_future": 1}) == settings
    assert TrainSettings.from_json({"lr": 0.5}).lr == 0.5


@given(
    st.integers(0, 3_000_000),
    st.sampled_from(["quick", "thorough"]),
    st.sampled_from([0.0, 1e-3, 0.1, 0.5, 0.9]),
    st.integers(1, 300),
    st.integers(1, 300),
)
def test_fitted_settings_train_wherever_anything_can(
    chars: int, preset: str, val_frac: float, batch_size: int, seq_length: int
) -> None:
    asked = settings_for(preset, val_frac=val_frac, batch_size=batch_size, seq_length=seq_length)
    fitted = fit_to_text(asked, chars)
    boundary = int(chars * (1 - val_frac))
    if min([boundary, chars - boundary] if val_frac else [chars]) < min(LEAST_SEQ_LENGTH, seq_length):
        with pytest.raises(TextTooShort):
            check_geometry(chars, fitted.batch_size, fitted.seq_length, fitted.val_frac)
        return
    check_geometry(chars, fitted.batch_size, fitted.seq_length, fitted.val_frac)
    assert fitted.batch_size <= batch_size
    assert fitted.seq_length <= seq_length
    assert fitted.epochs >= asked.epochs
    assert fitted.print_every >= 1


@pytest.mark.parametrize("preset", PRESETS)
def test_the_notebook_s_text_keeps_the_settings_of_each_preset(preset: str) -> None:
    settings = settings_for(preset)
    fitted = fit_to_text(settings, 1_985_223)
    assert replace(fitted, print_every=settings.print_every) == settings
    assert fitted.print_every <= settings.print_every


def test_the_notebook_s_preset_is_never_fitted() -> None:
    settings = settings_for("notebook")
    assert fit_to_text(settings, 3000) == settings


def test_what_was_asked_for_by_name_stays() -> None:
    asked = settings_for("quick", n_hidden=500, drop_prob=0.1, batch_size=7, seq_length=60, epochs=2, print_every=9)
    given = {"n_hidden", "drop_prob", "batch_size", "seq_length", "epochs", "print_every"}
    assert fit_to_text(asked, 3000, given) == replace(asked, n_layers=1, lr=0.009)
    assert fit_to_text(asked, 10**9, given) == replace(asked, lr=0.009)


def test_the_model_grows_with_the_text() -> None:
    sizes = [fit_to_text(settings_for("quick"), chars) for chars in (3000, 33_000, 300_000, 3_000_000)]
    assert [(fitted.n_layers, fitted.n_hidden) for fitted in sizes] == [(1, 64), (2, 128), (2, 256), (2, 512)]
    assert [fitted.drop_prob for fitted in sizes] == sorted((fitted.drop_prob for fitted in sizes), reverse=True)
    assert [fitted.lr for fitted in sizes] == [0.01, 0.01, 0.01, 0.009]


def test_the_learning_rate_is_that_of_the_model_which_is_trained() -> None:
    wide = fit_to_text(settings_for("quick", n_hidden=1024), 300_000, {"n_hidden"})
    assert (wide.n_hidden, wide.lr) == (1024, 0.003)
    assert fit_to_text(settings_for("quick", lr=0.002), 300_000, {"lr"}).lr == 0.002


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("chars", [1_985_223, 5_000_000, 40_000_000, 2_000_000_000])
def test_validations_take_a_twentieth_of_the_time_however_long_the_text(preset: str, chars: int) -> None:
    asked = settings_for(preset)
    settings = with_rare_validations(asked, chars)
    batch_chars = settings.batch_size * settings.seq_length
    batches = min(chars - int(chars * 0.9), settings.val_chars) // batch_chars
    assert batches / 3 / settings.print_every <= 0.05
    assert settings.print_every >= asked.print_every
    if chars < 2_000_000:
        assert settings == asked


def test_a_short_training_on_a_long_text_is_validated_some_times() -> None:
    assert with_rare_validations(settings_for("notebook", max_steps=1600), 10**9).print_every == 200


def test_a_trial_of_some_steps_is_not_validated_for_longer_than_it_trains() -> None:
    fitted = fit_to_text(settings_for("quick", max_steps=20), 20_000_000)
    assert fitted.print_every == 20  # a validation takes the time of 104 steps: only the one at the end
    fitted = fit_to_text(settings_for("quick", max_steps=400), 20_000_000)
    assert fitted.print_every == 104


def test_a_small_text_gets_smaller_batches_and_more_epochs() -> None:
    fitted = fit_to_text(settings_for("quick"), 30_000)
    assert fitted.batch_size < 16
    assert fitted.epochs > 20
    assert 27_000 // (fitted.batch_size * fitted.seq_length) * fitted.epochs >= 1500


def test_the_batch_of_a_short_text_still_has_a_row_for_each_rank() -> None:
    assert fit_to_text(settings_for("quick"), 3000).batch_size == 1
    assert fit_to_text(settings_for("quick", ranks=4), 3000).batch_size == 4

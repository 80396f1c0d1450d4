"""What the settings file changes in the app."""

from pathlib import Path

import pytest
from textual.theme import BUILTIN_THEMES

from charrnn_tui.run.config import DEFAULTS, PlayDefaults, TrainDefaults, with_values
from charrnn_tui.tui.app import StudioApp
from charrnn_tui.tui.opening import Opening
from charrnn_tui.tui.themes import OUR_THEMES, theme_names
from tests.playground.scripted_backend import ScriptedBackend, tiny_checkpoint
from tests.tui.pilot import screen_text, shows, until


@pytest.fixture
def backend(tmp_path: Path) -> ScriptedBackend:
    backend = ScriptedBackend(tmp_path)
    backend.shipped = tmp_path / "tiny.safetensors"
    backend.checkpoints[backend.shipped] = tiny_checkpoint()
    return backend


async def test_the_controls_begin_with_the_settings_of_the_file_and_are_reset_to_them(backend: ScriptedBackend) -> None:
    config = with_values(DEFAULTS, {"play.top_k": 3, "play.speed": "off", "play.temperature": 1})
    app = StudioApp(backend, Opening(), config)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "top-k 3", "T 1.00", "unlimited")
        await pilot.press("right")
        await shows(pilot, "top-k 5")
        await pilot.press("backspace")
        await shows(pilot, "top-k 3")
    assert PlayDefaults() == DEFAULTS.play


async def test_the_form_begins_with_the_preset_and_on_hangup_of_the_file(backend: ScriptedBackend) -> None:
    values = {"train.preset": "thorough", "train.on_hangup": "checkpoint-and-stop"}
    app = StudioApp(backend, Opening(text="/no.txt"), with_values(DEFAULTS, values))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "thorough", "checkpoint-and-stop")
    assert TrainDefaults() == DEFAULTS.train


async def test_the_app_has_the_theme_of_the_file(backend: ScriptedBackend) -> None:
    for theme in ("okabe-ito", "okabe-ito-light", "nord", "solarized-light"):
        app = StudioApp(backend, Opening(), with_values(DEFAULTS, {"theme": theme}))
        async with app.run_test(size=(80, 24)) as pilot:
            await shows(pilot, "top-k")
            assert (app.theme, app.current_theme.name) == (theme, theme)
            assert app.has_class("-light-mode") == (not app.current_theme.dark)
            assert app.screen.styles.background.hex == app.theme_variables["background"].upper()[:7]


async def test_the_list_of_themes_previews_and_esc_restores(backend: ScriptedBackend) -> None:
    stored: list[str] = []
    app = StudioApp(backend, Opening(), store_theme=stored.append)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "top-k")
        app.search_themes()
        await shows(pilot, "okabe-ito-light")
        assert app.theme == "okabe-ito"
        await pilot.press("down")
        await until(pilot, lambda: app.theme == "okabe-ito-light")
        await pilot.press(*"nord")
        await until(pilot, lambda: app.theme == "nord")
        await pilot.press("escape")
        await until(pilot, lambda: app.theme == "okabe-ito")
        assert stored == []


async def test_the_chosen_theme_is_stored(backend: ScriptedBackend) -> None:
    stored: list[str] = []
    app = StudioApp(backend, Opening(), store_theme=stored.append)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "top-k")
        app.search_themes()
        await shows(pilot, "okabe-ito-light")
        await pilot.press("down", "enter")
        await until(pilot, lambda: stored == ["okabe-ito-light"])
        assert app.theme == "okabe-ito-light"


async def test_a_theme_that_cannot_be_stored_is_shown_and_the_reason_is_said(backend: ScriptedBackend) -> None:
    def fail(name: str) -> None:
        raise PermissionError(13, "Permission denied", "/etc/config.toml")

    app = StudioApp(backend, Opening(), store_theme=fail)
    async with app.run_test(size=(100, 24), notifications=True) as pilot:
        await shows(pilot, "top-k")
        app.search_themes()
        await shows(pilot, "okabe-ito-light")
        await pilot.press("down", "enter")
        await shows(pilot, "the theme is not stored: /etc/config.toml: Permission denied")
        assert "okabe-ito-light" not in screen_text(app)


def test_all_themes_are_named() -> None:
    assert theme_names() == ["okabe-ito", "okabe-ito-light", *sorted(BUILTIN_THEMES)]
    assert DEFAULTS.theme == OUR_THEMES[0].name

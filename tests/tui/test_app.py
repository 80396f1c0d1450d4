"""The app as a whole: forms, runs and keys, on scripted trainings."""

import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input

from charrnn_tui.playground.models import ModelSource
from charrnn_tui.playground.playground import State
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.events import RunFinished
from charrnn_tui.run.fitting import LEARNING_RATES, TUNING_SHARE, fit_to_text
from charrnn_tui.run.quantities import count
from charrnn_tui.run.settings import settings_for
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.tui.app import Opening, StudioApp
from charrnn_tui.tui.dialogs.text_picker import TextPicker
from charrnn_tui.tui.runs.screen import RunsScreen
from charrnn_tui.tui.train.form import TrainForm
from charrnn_tui.tui.train.screen import TrainScreen
from tests.playground.scripted_backend import tiny_checkpoint
from tests.tui.pilot import screen_text, shows, until
from tests.tui.scripted_training import TrainingBackend, evaluated, sample_written, started, step_done, write_events

SIZES = [(80, 24), (140, 40), (60, 18), (20, 5), (300, 100)]


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[TrainingBackend]:
    backend = TrainingBackend(tmp_path / "runs")
    backend.ship(tiny_checkpoint())
    yield backend
    backend.stop()


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.txt"
    path.write_text("abcdefghij klmnopqr stuvwxyz\n" * 500)
    return path


def form_of(app: StudioApp) -> TrainForm:
    return app.screen.query_one(TrainForm)


async def start_from_form(pilot: Pilot[None]) -> None:
    await shows(pilot, "different")
    await pilot.press("f5")
    await shows(pilot, "● training")


async def test_a_text_opens_the_form_fitted_to_it(backend: TrainingBackend, text: Path) -> None:
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "14,500 characters, 28 different")
        await shows(pilot, "fitted  hidden units 128")


async def test_f4_leaves_a_licence_out(backend: TrainingBackend, text: Path) -> None:
    licence = "\n\nEnd of Project Gutenberg's Tiny\n\nUpdated editions will replace the previous one.\n"
    text.write_text(text.read_text() + licence)
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, f"the last {len(licence)} characters; F4 leaves them out", "F4 Leave licence out")
        await pilot.press("f4")
        await shows(pilot, "14,500 characters", f"without the last {len(licence)} characters")
        await until(pilot, lambda: "F4" not in screen_text(app))
        request = form_of(app).check()
        assert request is not None
        assert (request.settings.skip_head, request.settings.skip_tail) == (0, len(licence))
        app.screen.query_one("#corpus", Input).value += "x"  # another text has other ends
        await until(pilot, lambda: app.screen.query_one("#skip_tail", Input).value == "0")


async def test_what_is_left_out_of_a_text_is_checked(backend: TrainingBackend, text: Path) -> None:
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "14,500 characters")
        field = app.screen.query_one("#skip_head", Input)
        field.value = "x"
        await shows(pilot, "skip head: 'x' is not a whole number")
        field.value = "-1"
        await shows(pilot, "skip head: -1 is not a whole number from 0 to")
        field.value = "14500"
        await shows(pilot, "the text has 14,500 characters: --skip-head 14500 and --skip-tail 0 leave none of them")
        field.value = "500"
        await shows(pilot, "14,000 characters")


async def test_f5_starts_the_run_that_the_form_describes(backend: TrainingBackend, text: Path) -> None:
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "different")
        app.screen.query_one("#n_hidden", Input).value = "24"
        app.screen.query_one("#name", Input).value = "mine"
        await pilot.press("f5")
        await shows(pilot, "mine ● training")
        assert backend.request.settings.n_hidden == 24
        assert backend.request.corpus == (str(text),)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("lr", "fast", "learning rate: 'fast' is not a number"),
        ("n_hidden", "0", "hidden units: 0 is not a whole number from 1"),
        ("drop_prob", "1.5", "dropout: 1.5 is not a number from 0"),
        ("patience", "0", "patience: 0 is not a whole number from 1"),
        ("batch_size", "5000", "the text is too short"),
        ("encoding", "utf-99", "no such encoding"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_starts(
    field: str, value: str, words: str, backend: TrainingBackend, text: Path
) -> None:
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(120, 30)) as pilot:
        await shows(pilot, "different")
        app.screen.query_one(f"#{field}", Input).value = value
        await shows(pilot, words)
        assert " 0 steps" not in screen_text(app)
        await pilot.press("f5")
        assert form_of(app).check() is None
        assert backend.runs() == []


async def test_a_start_before_the_text_is_read_waits_for_it(
    backend: TrainingBackend, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_read, read_corpus = threading.Event(), backend.read_corpus

    def read_slowly(*args: Any) -> Corpus:
        may_read.wait()
        return read_corpus(*args)

    monkeypatch.setattr(backend, "read_corpus", read_slowly)
    monkeypatch.chdir(text.parent)  # so that the path fits into a row
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("1")
        form_of(app).text.value = text.name
        await pilot.press("f5")
        await shows(pilot, "reading tiny.txt; then the run starts")
        may_read.set()
        await shows(pilot, "tiny-1 ● training")


async def test_a_start_before_a_text_turns_out_to_be_missing_says_so(backend: TrainingBackend, text: Path) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("1")
        form_of(app).text.value = f"{text}x"
        await pilot.press("f5")
        await shows(pilot, "tiny.txtx: no such file")
        form_of(app).text.value = str(text)  # which nobody has started
        await shows(pilot, "different")
        assert backend.runs() == []


async def test_a_start_without_a_text_offers_texts(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("1", "f5")
        await until(pilot, lambda: isinstance(app.screen, TextPicker))


async def test_the_other_screens_are_imported_once_the_first_one_is_shown(
    backend: TrainingBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charrnn_tui.tui.app.IDLE_SECONDS", 0.01)
    name = "charrnn_tui.tui.compare.screen"
    monkeypatch.delitem(sys.modules, name, raising=False)  # else another test may have done it
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: name in sys.modules)


async def test_screens_that_no_key_has_shown_are_mounted_while_the_app_is_idle_and_do_nothing_yet(
    backend: TrainingBackend, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charrnn_tui.tui.app.IDLE_SECONDS", 0.01)
    monkeypatch.setattr("charrnn_tui.tui.app.MOUNT_SECONDS", 0.01)
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.play.is_mounted and app.runs.is_mounted)
        assert app.screen is app.train
        assert app.play.playground.state is State.NO_MODEL
        tabs = app.runs.header.render()
        assert [tabs.plain[span.start : span.end] for span in tabs.spans if span.style] == [" 3 Runs "]
        await pilot.press("escape", "2")
        await until(pilot, lambda: app.play.playground.writer.count)


async def test_a_theme_reaches_the_screens_that_are_not_shown(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: app.screen is app.runs)
        await pilot.press("2")
        await until(pilot, lambda: app.screen is app.play)
        before = app.play.header.styles.background
        app.theme = "dracula"
        await until(pilot, lambda: app.play.header.styles.background != before)
        await pilot.press("3")
        await until(pilot, lambda: app.runs.header.styles.background == app.play.header.styles.background)


async def test_a_missing_text_is_named_in_the_form(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening(text="/nowhere/at/all.txt"))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "✗ /nowhere/at/all.txt: no such file")


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (40, 12)])
async def test_problem_and_start_are_in_sight_at_every_size(size: tuple[int, int], backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening(text="/nowhere/all.txt"))
    async with app.run_test(size=size) as pilot:
        await shows(pilot, "✗ /nowhere/all.txt: no such file")
        await shows(pilot, "Start  F5")


async def test_the_cost_is_in_sight_on_a_small_screen_and_no_word_is_cut(backend: TrainingBackend, text: Path) -> None:
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(60, 18)) as pilot:
        await shows(pilot, "14,500 characters, 28 different, 500 lines ")
        await shows(pilot, "on this machine")
        await shows(pilot, "2×128, 217k parameters, adds ")
        await shows(pilot, "Start  F5")


async def test_what_was_typed_outlives_a_change_of_preset(backend: TrainingBackend, text: Path) -> None:
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "different")
        app.screen.query_one("#lr", Input).value = "0.02"
        await pilot.pause()
        app.screen.query_one("#preset").value = "notebook"  # type: ignore[attr-defined]  # a Select
        await until(pilot, lambda: app.screen.query_one("#drop_prob", Input).value == "0.5")
        assert app.screen.query_one("#lr", Input).value == "0.02"


async def test_the_other_numbers_are_fitted_to_a_number_that_is_typed(backend: TrainingBackend, text: Path) -> None:
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "fitted  ")
        app.screen.query_one("#seq_length", Input).value = "10"
        fitted = fit_to_text(settings_for("quick", seq_length=10), 14_500, ["seq_length"])
        await until(pilot, lambda: app.screen.query_one("#batch_size", Input).value == str(fitted.batch_size))
        await until(pilot, lambda: app.screen.query_one("#epochs", Input).value == str(fitted.epochs))
        request = form_of(app).check()
        assert request is not None
        assert request.settings == fitted


async def test_a_budget_decides_on_what_is_not_typed(backend: TrainingBackend, text: Path) -> None:
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "fitted  ")
        fields = {name: app.screen.query_one(f"#{name}", Input) for name in ("budget", "epochs", "n_hidden", "lr")}
        fields["budget"].value = "10"
        await shows(pilot, "budget: '10' is not a time such as 90s, 10m or 1h30m")
        fields["budget"].value = "10m"
        await shows(pilot, "at most 2×128", "run     10 min, its steps planned at the start")
        assert (fields["epochs"].value, fields["n_hidden"].value, fields["lr"].value) == ("", "", "0.01")
        fields["epochs"].value = "7"
        await shows(pilot, "✗ epochs: the budget decides on them")
        fields["epochs"].value = ""
        fields["lr"].value = "0.004"
        await until(pilot, lambda: form_of(app).check())
        fields["budget"].value = ""
        await until(pilot, lambda: fields["epochs"].value == "24" and fields["n_hidden"].value == "128")
        fields["budget"].value = "10m"
        await pilot.press("f5")
        await shows(pilot, "tiny-1 ● training")
        request = backend.request
        assert (request.settings.budget, request.settings.lr, request.given) == (600.0, 0.004, {"budget", "lr"})


async def test_a_model_is_trained_on_from_the_playground(backend: TrainingBackend, text: Path, tmp_path: Path) -> None:
    shipped = tiny_checkpoint(corpus="old")
    backend.ship(shipped)
    (tmp_path / "old.txt").write_text("abc" * 1000)
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "tiny (shipped)", "chars/s")
        await pilot.press("T")
        await shows(pilot, "start from     tiny", "Name the text to train on")
        form = form_of(app)
        await pilot.press(*str(text))
        await shows(pilot, "14,500 characters")
        fields = {name: app.screen.query_one(f"#{name}", Input) for name in ("n_hidden", "n_layers", "lr", "init_from")}
        await until(pilot, lambda: fields["n_hidden"].value == str(shipped.n_hidden))
        assert fields["n_layers"].value == str(shipped.n_layers)
        assert fields["lr"].value == f"{LEARNING_RATES[256] * TUNING_SHARE:g}"
        request = form.check()
        assert request is not None
        assert request.settings.init_from == "tiny"
        assert request.given == frozenset()
        fields["init_from"].value = "nothing.net"
        await until(pilot, lambda: form.check() is None)
        await shows(pilot, "✗ ")
        fields["init_from"].value = ""
        await until(pilot, lambda: fields["n_hidden"].value != str(shipped.n_hidden))
        fields["init_from"].value = "tiny"
        await until(pilot, lambda: fields["n_hidden"].value == str(shipped.n_hidden))
        await pilot.press("f5")
        await shows(pilot, "● training")
        assert backend.request.settings.init_from == "tiny"


async def test_a_run_that_is_refused_says_why_in_the_form(backend: TrainingBackend, text: Path) -> None:
    backend.refusal = "--name: x: there is a run of this name already"
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "different")
        await pilot.press("f5")
        await shows(pilot, "✗ --name: x: there is a run of this name already")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        await shows(pilot, "✗ --name: x: there is a run of this name already")
        app.screen.query_one("#seed", Input).value = "1"
        await until(pilot, lambda: "✗" not in screen_text(app))


async def test_the_run_shows_loss_device_progress_and_its_newest_sample(backend: TrainingBackend, text: Path) -> None:
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(120, 36)) as pilot:
        await start_from_form(pilot)
        await shows(pilot, "a sample")
        words = screen_text(app)
        for expected in ("cpu ×2 float32", "12k chars/s", "of 1,000", "left", "nats/char", "best 1.5000 at step 3"):
            assert expected in words


async def test_space_pauses_and_goes_on_and_other_screens_do_not_stop_it(backend: TrainingBackend, text: Path) -> None:
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(120, 36)) as pilot:
        await start_from_form(pilot)
        await pilot.press("space")
        await shows(pilot, "‖ paused")
        await pilot.press("space")
        await shows(pilot, "● training")
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        run = backend.runs()[0]
        seen = run.progress().step
        await until(pilot, lambda: run.progress().step > seen + 5)
        await until(pilot, lambda: "● tiny-1" in screen_text(app))


async def test_a_new_learning_rate_is_asked_for_and_marked(backend: TrainingBackend, text: Path) -> None:
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(120, 36)) as pilot:
        await start_from_form(pilot)
        await until(pilot, lambda: isinstance(app.screen, TrainScreen) and app.screen.run_view.progress.last_step)
        await pilot.press("L")
        await shows(pilot, "Learning rate, now 0.001")
        app.screen.query_one(Input).value = "nonsense"
        await pilot.press("enter")
        await shows(pilot, "✗ a factor")
        app.screen.query_one(Input).value = "x0.5"
        await pilot.press("enter")
        run = backend.runs()[0]
        await until(pilot, lambda: any("lr 0.0005" in label for _, label in run.progress().ticks))


async def test_quitting_asks_while_a_run_is_in_training_and_saves_it(backend: TrainingBackend, text: Path) -> None:
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(100, 30)) as pilot:
        await start_from_form(pilot)
        await pilot.press("q")
        await shows(pilot, "tiny-1 is in training")
        await pilot.press("escape")
        assert app.active_run is not None
        assert not app.active_run.done
        await pilot.press("q")
        await shows(pilot, "save, stop and quit")
        await pilot.press("s")
        await until(pilot, lambda: app.active_run is not None and app.active_run.done)
    assert backend.runs()[0].progress().state == "stopped"


async def test_the_question_before_quitting_offers_to_detach(backend: TrainingBackend, text: Path) -> None:
    detached: list[RunDirectory] = []

    def detach(run: RunDirectory) -> None:
        detached.append(run)
        backend.stop()

    backend.detach_run = detach  # type: ignore[method-assign]  # another process, which takes over at once
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(100, 30)) as pilot:
        await start_from_form(pilot)
        await pilot.press("q")
        await shows(pilot, "detach: quit, and another process goes on")
        await pilot.press("d")
        await until(pilot, lambda: not app.is_running)
    assert app.return_value in detached


@pytest.mark.parametrize("key", ["l", "x"], ids=["open", "under a question"])
async def test_header_and_run_are_of_the_same_moment(key: str, backend: TrainingBackend, text: Path) -> None:
    app = StudioApp(backend, Opening(text=str(text)))
    async with app.run_test(size=(120, 36)) as pilot:
        await start_from_form(pilot)
        await pilot.press(key)
        await shows(pilot, "/1k")
        moments = set[int]()
        while len(moments) < 4:
            await pilot.pause(0.02)
            header, *_, run_bar = screen_text(app).splitlines()[:4]
            steps = [int(step.replace(",", "")) for step in re.findall(r"step ([\d,]+) of 1,000", run_bar)]
            assert [f" {count(step)}/1k " in header for step in steps] == [True]
            moments.update(steps)


async def test_quitting_with_nothing_to_lose_does_not_ask(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)
    assert app.return_code == 0


async def test_an_old_run_opens_with_its_whole_history_and_no_steering_keys(backend: TrainingBackend) -> None:
    events = [started(), *(step_done(step) for step in range(1, 50)), evaluated(49, 1.25), sample_written(49, "old")]
    run = write_events(
        RunDirectory(backend.runs_directory / "old-1"), [*events, RunFinished(time=0, step=49, state="finished")]
    )
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(120, 36)) as pilot:
        await shows(pilot, "old-1 ✓ finished")
        words = screen_text(app)
        assert "best 1.2500 at step 49" in words
        assert "Pause" not in words


async def test_the_model_of_an_opened_run_is_played(backend: TrainingBackend) -> None:
    for name in ("older-1", "newer-1"):
        run = backend.add_run(name, tiny_checkpoint(val_loss=1.5))
        write_events(run, [started(), step_done(1), RunFinished(time=0, step=1, state="finished")])
    app = StudioApp(backend, Opening(run=RunDirectory(backend.runs_directory / "older-1")))
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "older-1 ✓ finished")
        await pilot.press("2")
        await shows(pilot, "older-1 · best 2×8")
        app.play.open_source(ModelSource("best", backend.runs_directory / "newer-1"))
        await shows(pilot, "newer-1 · best 2×8")
        await pilot.press("1")
        await shows(pilot, "older-1 ✓ finished")
        await pilot.press("2")  # the model that was chosen since stays
        await shows(pilot, "newer-1 · best 2×8")
        await pilot.press("1", "m")  # unless the run's is asked for
        await shows(pilot, "older-1 · best 2×8")


@pytest.mark.parametrize("size", SIZES[:3])
async def test_a_notification_covers_the_footer_alone_and_leaves(
    backend: TrainingBackend, size: tuple[int, int]
) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=size, notifications=True) as pilot:
        await shows(pilot, "writing")
        await pilot.press("g")
        await shows(pilot, "stopped")
        before = screen_text(app).splitlines()
        await pilot.press("u")
        await shows(pilot, "nothing to undo")
        assert screen_text(app).splitlines()[:-1] == before[:-1]
        assert "nothing to undo" in screen_text(app).splitlines()[-1]
        await until(pilot, lambda: screen_text(app).splitlines() == before)


async def test_a_run_whose_trainer_died_says_so(backend: TrainingBackend) -> None:
    run = write_events(RunDirectory(backend.runs_directory / "dead-1"), [started(), step_done(1)])
    app = StudioApp(backend, Opening(run=run))
    async with app.run_test(size=(120, 36)) as pilot:
        await shows(pilot, "□ interrupted")
        await shows(pilot, "the training process exited")


async def test_the_list_of_runs_opens_and_deletes(backend: TrainingBackend) -> None:
    for name in ("one-1", "two-1"):
        write_events(RunDirectory(backend.runs_directory / name), [started(), step_done(1), evaluated(1, 1.5)])
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("3")
        await shows(pilot, "two-1")
        await pilot.press("x")
        await shows(pilot, "Delete the run")
        await pilot.press("y")
        await until(pilot, lambda: len(backend.runs()) == 1)
        await until(pilot, lambda: app.screen.query_one(DataTable).row_count == 1)
        left = backend.runs()[0].name
        await pilot.press("enter")
        await shows(pilot, f"{left} □ interrupted")


async def test_help_names_the_pane_and_the_keys_that_act(backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=(100, 50)) as pilot:
        await pilot.press("question_mark")
        await shows(pilot, "Choose the model that writes.")
        await pilot.press("escape")
        await until(pilot, lambda: "Choose the model" not in screen_text(app))


async def test_markup_and_control_characters_in_texts_are_harmless(backend: TrainingBackend, tmp_path: Path) -> None:
    path = tmp_path / "[bold red]\x1b[31m[b.txt"
    path.write_text("[/] \x1b]0;owned\x07 [bold]" * 300)
    backend.sample = "[/bold] \x1b[31mred\x9b2J"
    app = StudioApp(backend, Opening(text=str(path)))
    async with app.run_test(size=(120, 36)) as pilot:
        await shows(pilot, "different")
        assert not _controls(screen_text(app))
        await start_from_form(pilot)
        await shows(pilot, "[/bold] ␛[31mred")
        assert not _controls(screen_text(app))


def _controls(screen: str) -> list[str]:
    return [char for char in screen if char != "\n" and (ord(char) < 32 or 127 <= ord(char) < 160)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("key", ["1", "2", "3"])
async def test_every_screen_stands_every_size(size: tuple[int, int], key: str, backend: TrainingBackend) -> None:
    app = StudioApp(backend, Opening())
    async with app.run_test(size=size) as pilot:
        await pilot.press(key)
        await until(pilot, lambda: screen_text(app).strip())


@pytest.mark.parametrize("size", SIZES)
async def test_a_run_stands_every_size(size: tuple[int, int], backend: TrainingBackend) -> None:
    run = write_events(RunDirectory(backend.runs_directory / "old-1"), [started(), step_done(1), evaluated(1, 1.5)])
    app = StudioApp(backend, Opening(run=run))
    condition: Callable[[], object] = lambda: isinstance(app.screen, TrainScreen) and app.screen.run_view.progress.step  # noqa: E731 - one use
    async with app.run_test(size=size) as pilot:
        await until(pilot, condition)
        assert screen_text(app).strip()

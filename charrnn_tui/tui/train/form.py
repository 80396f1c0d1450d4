"""The form of a new training: every field checked as it is typed, with what the whole will cost."""

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Grid, Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Button, Input, Label, Select, Static

from charrnn_tui.playground.backend import Backend
from charrnn_tui.run.fitting import fit_to_text
from charrnn_tui.run.quantities import count, duration, size
from charrnn_tui.run.settings import (
    DEVICES,
    ON_HANGUP,
    PRECISIONS,
    PRESETS,
    RunRequest,
    SettingsError,
    TrainSettings,
    settings_for,
)
from charrnn_tui.text.batches import TextTooShort, check_geometry
from charrnn_tui.text.corpus import Corpus
from charrnn_tui.tui.dialogs.path_suggester import PathSuggester
from charrnn_tui.tui.train.cost import guessed_parameters_per_second, training_cost

_READ_DELAY_SECONDS = 0.3  # after the last key in the path, before the file is read


@dataclass(frozen=True)
class FormField:
    """A number that a user may type: the setting's name, what it is called, how it is read."""

    name: str
    label: str
    kind: type[int] | type[float]


NUMBERS = (
    FormField("n_hidden", "hidden units", int),
    FormField("n_layers", "layers", int),
    FormField("batch_size", "batch size", int),
    FormField("seq_length", "seq. length", int),
    FormField("epochs", "epochs", int),
    FormField("lr", "learning rate", float),
    FormField("drop_prob", "dropout", float),
    FormField("val_frac", "valid. share", float),
    FormField("print_every", "valid. every", int),
    FormField("seed", "seed", int),
)
_CHOICES = ("device", "precision", "on_hangup")
_FITTED = ("batch_size", "seq_length", "epochs", "print_every")


class TrainForm(VerticalScroll):
    """Posts `Submitted` with a request that has passed every check that can be made before the training is built."""

    HELP = """The form of a new training.

Name a text file (→ completes the path); the form is then fitted to it: batch size, sequence length and epochs that the
text can carry. Every field is checked as you type. The box below says what the training will cost.

Tab, Shift+Tab   next, previous field
F5               start, from anywhere in the form
Esc              out of the field; then 2 plays, 3 lists the runs

on hangup        when the terminal goes: train on without it, or save and stop

preset notebook  the course notebook's settings
preset quick     the same model, to a lower loss in less than half the time
preset thorough  the same model, predicting better: two and a half times as long as quick"""

    DEFAULT_CSS = """
    TrainForm { padding: 0 1; }
    TrainForm Grid { grid-size: 4; grid-columns: 14 1fr 14 1fr; grid-rows: 1; grid-gutter: 0 1; height: auto; }
    TrainForm.-narrow Grid { grid-size: 2; grid-columns: 14 1fr; }
    TrainForm .wide { column-span: 3; }
    TrainForm.-narrow .wide { column-span: 1; }
    TrainForm Label { width: 14; color: $text-muted; }
    TrainForm Label.-invalid { color: $text-error; text-style: bold reverse; }
    TrainForm Select { width: 1fr; }
    TrainForm #cost { height: auto; min-height: 4; margin-top: 1; }
    TrainForm #problem { height: auto; color: $text-error; text-style: bold; }
    TrainForm #buttons { height: auto; margin-top: 1; }
    """

    @dataclass
    class Submitted(Message):
        """Start this."""

        request: RunRequest

    def __init__(self, backend: Backend, path: str = "", *, preset: str = "quick", id: str | None = None) -> None:
        super().__init__(id=id)
        self._backend = backend
        self._path = path
        self._preset = preset
        self._corpus: Corpus | None = None
        self._corpus_problem = ""
        self._edited: set[str] = set()  # fields a person has typed in: no fitting, no preset changes them
        self._filled: dict[str, str] = {}
        self._speed: float | None = None  # characters × parameters a second, once known
        self._speed_measured = False

    def compose(self) -> ComposeResult:
        settings = settings_for(self._preset)
        with Grid():
            yield Label("text")
            yield Input(
                self._path,
                placeholder="a text file, for example books/anna.txt",
                suggester=PathSuggester(use_cache=False, case_sensitive=True),
                compact=True,
                id="corpus",
                classes="wide",
            )
            yield Label("preset")
            yield _choice("preset", PRESETS, self._preset)
            yield Label("name")
            yield Input(placeholder="after the text", compact=True, id="name")
            for field in NUMBERS:
                yield Label(field.label, id=f"label-{field.name}")
                yield Input(_shown(getattr(settings, field.name)), compact=True, id=field.name)
            yield Label("device")
            yield _choice("device", DEVICES, "auto")
            yield Label("precision")
            yield _choice("precision", PRECISIONS, "auto")
            yield Label("encoding")
            yield Input("utf-8", compact=True, id="encoding")
            yield Label("on hangup")
            yield _choice("on_hangup", ON_HANGUP, ON_HANGUP[0])
        yield Static("", id="cost", markup=False)
        yield Static("", id="problem", markup=False)
        with Horizontal(id="buttons"):
            yield Button("Start  F5", variant="primary", id="start", compact=True)

    def on_mount(self) -> None:
        self._filled = {field.name: self.query_one(f"#{field.name}", Input).value for field in NUMBERS}
        self._read_timer = self.set_timer(0.01, self._read_corpus)
        self.check()
        self._measure()

    def on_resize(self) -> None:
        self.set_class(self.size.width < 60, "-narrow")

    def show_text(self, path: str) -> None:
        """Fill the form for this text."""
        self.query_one("#corpus", Input).value = path

    @on(Input.Changed, "#corpus, #encoding")
    def _text_changed(self) -> None:
        self._corpus, self._corpus_problem = None, ""
        self._read_timer.stop()
        self._read_timer = self.set_timer(_READ_DELAY_SECONDS, self._read_corpus)
        self.check()

    @on(Input.Changed)
    def _field_changed(self, event: Input.Changed) -> None:
        name = event.input.id or ""
        if name in self._filled and event.value != self._filled[name]:
            self._edited.add(name)
        self.check()

    @on(Select.Changed, "#preset")
    def _preset_changed(self) -> None:
        self._fill()

    @on(Select.Changed, "#device, #precision")
    def _place_changed(self) -> None:
        self.check()

    @on(Button.Pressed, "#start")
    @on(Input.Submitted)
    def _start_pressed(self, event: Message) -> None:
        event.stop()
        self.submit()

    def submit(self) -> None:
        """Start, or put the cursor where something is wrong."""
        request = self.check()
        if request is not None:
            self.post_message(self.Submitted(request))
            return
        if self._corpus is None:
            self.query_one("#corpus", Input).focus()
        self.app.bell()

    def refuse(self, problem: str) -> None:
        """Show why a training could not be started."""
        self.query_one("#problem", Static).update("✗ " + problem)

    def _read_corpus(self) -> None:
        path = self.query_one("#corpus", Input).value.strip()
        if path:
            self.query_one("#cost", Static).update(f"reading {path} …")
            self._read(path, self.query_one("#encoding", Input).value.strip() or "utf-8")

    @work(thread=True, exclusive=True, group="read")
    def _read(self, path: str, encoding: str) -> None:
        try:
            corpus, problem = self._backend.read_corpus([os.path.expanduser(path)], encoding), ""
        except (ValueError, MemoryError) as error:
            corpus, problem = None, str(error) or "the text does not fit into memory"
        self.app.call_from_thread(self._text_read, path, corpus, problem)

    def _text_read(self, path: str, corpus: Corpus | None, problem: str) -> None:
        if path != self.query_one("#corpus", Input).value.strip():
            return  # typed on in the meantime: the next reading is under way
        self._corpus, self._corpus_problem = corpus, problem
        self._fill()

    @work(thread=True, exclusive=True, group="measure")
    def _measure(self) -> None:
        """This machine's speed: as the newest run measured it, or else guessed from a matrix product."""
        for run in self._backend.runs()[:5]:
            progress = run.progress()
            if progress.started and progress.last_step:
                speed = progress.last_step.chars_per_second * progress.started.parameters
                self.app.call_from_thread(self._set_speed, speed, True)
                return
        self.app.call_from_thread(self._set_speed, guessed_parameters_per_second(), False)

    def _set_speed(self, speed: float, measured: bool) -> None:
        self._speed, self._speed_measured = speed, measured
        self.check()

    def _fill(self) -> None:
        """The preset's numbers, fitted to the text, into every field that nobody has typed in."""
        settings = settings_for(str(self.query_one("#preset", Select).value))
        if self._corpus is not None:
            settings = fit_to_text(settings, len(self._corpus))
        for field in NUMBERS:
            if field.name not in self._edited:
                value = _shown(getattr(settings, field.name))
                self._filled[field.name] = value
                self.query_one(f"#{field.name}", Input).value = value
        self.check()

    def check(self) -> RunRequest | None:
        """Check all fields, show what is wrong or what it costs; the request where all is well."""
        settings, wrong, problem = self._settings()
        for field in NUMBERS:
            self.query_one(f"#label-{field.name}", Label).set_class(field.name == wrong, "-invalid")
        path = self.query_one("#corpus", Input).value.strip()
        cost = ""
        if not path:
            cost = "Name the text to train on: a file of plain text, the longer the better."
        elif settings is not None and self._corpus is not None:
            cost = self._cost(settings, self._corpus)
            try:
                check_geometry(len(self._corpus), settings.batch_size, settings.seq_length, settings.val_frac)
            except TextTooShort as error:
                problem = str(error)
        problem = self._corpus_problem or problem
        self.query_one("#problem", Static).update("✗ " + problem if problem else "")
        if cost or self._corpus_problem:
            self.query_one("#cost", Static).update(cost)
        if problem or settings is None or self._corpus is None:
            return None
        name = self.query_one("#name", Input).value.strip() or None
        return RunRequest((os.path.expanduser(path),), settings, name)

    def _settings(self) -> tuple[TrainSettings | None, str, str]:
        """(settings, "", "") or (None, the field that is wrong, why)."""
        given: dict[str, Any] = {name: self.query_one(f"#{name}", Select).value for name in _CHOICES}
        given["encoding"] = self.query_one("#encoding", Input).value.strip() or "utf-8"
        for field in NUMBERS:
            text = self.query_one(f"#{field.name}", Input).value.strip().replace("_", "")
            try:
                given[field.name] = field.kind(text)
            except ValueError:
                kind = "a whole number" if field.kind is int else "a number"
                return None, field.name, f"{field.label}: {text!r} is not {kind}"
        try:
            return settings_for(str(self.query_one("#preset", Select).value), **given), "", ""
        except SettingsError as error:
            label = next((field.label for field in NUMBERS if field.name == error.field), error.field)
            return None, error.field, f"{label}: {str(error).partition(': ')[2]}"

    def _cost(self, settings: TrainSettings, corpus: Corpus) -> str:
        tokens = len(corpus.vocabulary)
        cost = training_cost(settings, len(corpus), tokens, self._speed or math.inf)
        guess = "about" if self._speed_measured else "very roughly"
        time_needed = f"{guess} {duration(cost.seconds)} on this machine" if self._speed else "measuring the machine …"
        fitted = [name for name in _FITTED if getattr(settings, name) != getattr(settings_for(settings.preset), name)]
        lines = [
            f"text    {len(corpus):,} characters, {tokens} different: guessing costs {math.log(tokens):.2f} nats/char",
            f"model   {settings.n_layers}×{settings.n_hidden} LSTM, {count(cost.parameters)} parameters, "
            f"about {size(cost.memory_bytes)} of memory",
            f"run     {cost.steps:,} steps of {settings.batch_size} × {settings.seq_length} characters, {time_needed}",
        ]
        if fitted and not self._edited.intersection(fitted):
            lines.append(
                "fitted  to this text: " + ", ".join(f"{_label(name)} {getattr(settings, name):,}" for name in fitted)
            )
        return "\n".join(lines)


def _choice(name: str, values: Iterable[str], chosen: str) -> Select[str]:
    return Select([(value, value) for value in values], value=chosen, allow_blank=False, compact=True, id=name)


def _shown(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _label(name: str) -> str:
    return next(field.label for field in NUMBERS if field.name == name)

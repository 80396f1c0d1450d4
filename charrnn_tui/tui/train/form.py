"""The form of a new training: every field is checked as it is typed, and the cost of the run is estimated."""

import math
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Grid, Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Button, Input, Label, Select, Static

from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.jobs import CancelToken, Jobs
from charrnn_tui.run.config import TrainDefaults
from charrnn_tui.run.fitting import BY_BUDGET, fit_to_text
from charrnn_tui.run.follower import RunFollowers
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
from charrnn_tui.text.demo import DEMO
from charrnn_tui.text.text_settings import TextSettings
from charrnn_tui.tui.dialogs.path_suggester import PathSuggester
from charrnn_tui.tui.dialogs.text_picker import TextPicker
from charrnn_tui.tui.own_training import OwnTraining
from charrnn_tui.tui.text_field import TextField
from charrnn_tui.tui.train.cost import training_cost, training_speed
from charrnn_tui.tui.train.form_numbers import KINDS, NUMBERS, OPTIONAL, as_text, label_of
from charrnn_tui.tui.train.form_start import FormStart
from charrnn_tui.tui.train.form_text import FormText, ReadText
from charrnn_tui.tui.train.run_lines import as_fits

_READ_DELAY_SECONDS = 0.3  # after the last key in the path, before the file is read
_RUNS_READ = 5  # at most, the newest, for the speed that they have measured
_SPEED = "measure the speed of training"  # the key of the job


class TrainForm(Vertical):
    """Starts a run that has passed every check that can be made before the training is built."""

    HELP = """Name a text file (→ completes its path), or choose one (F2): a text of an earlier run, a file, or \
demo:python, the source of Python's standard library. The numbers are then fitted to that text; each field is checked \
as you type, and the lines below say what the training will cost.

preset quick: a model of the size that suits the text; for a long text that of the course notebook, to a lower loss in \
less than half the time. thorough: to a lower loss still, in two and a half times the time of quick. notebook: the \
settings of the course notebook, whatever the text.

budget: the time that the run may take, without pauses. It decides on epochs, on the distance of validations, and on \
hidden units where they would be too many for that time; what you type stays.

skip head, skip tail: characters left out at the ends of the text. Where it has a licence there, F4 leaves it out.

start from: a model whose weights the training starts from, in place of a new one: a file, a run, or a model that \
ships with the program. Layers and hidden units are then its own. old text: a text that validations read, too, such as \
the one that this model was trained on: its loss shows what is forgotten.

patience: end after so many validations in a row without a lower loss. Under the presets quick and thorough the loss \
falls most at the end, so that few are too few.

ranks: processes that train together, each on its rows of a batch. They are for several GPUs, one for each; on the \
cores of one machine threads do as well.

on hangup: what happens when the terminal is closed: train on without it, or save and stop."""

    def __init__(
        self,
        backend: Backend,
        jobs: Jobs,
        followers: RunFollowers,
        training: OwnTraining,
        defaults: TrainDefaults,
    ) -> None:
        super().__init__()
        self._backend, self._jobs, self._followers, self._training = backend, jobs, followers, training
        self._path = ""  # of the text, until the field is mounted
        suggester = PathSuggester(use_cache=False, case_sensitive=True)
        self.text = TextField(placeholder="a path, or Enter to choose", suggester=suggester, id="corpus")
        self._choose = Button("Choose  F2", id="choose", compact=True)
        self._choose.can_focus = False  # Tab goes on to the next field
        self._run_name = TextField(placeholder="after the text", id="name")
        self._encoding = TextField(id="encoding")
        self._numbers = {
            name: TextField(placeholder=OPTIONAL.get(name, ""), id=name, select_on_focus=True) for name in NUMBERS
        }
        self._labels = {name: Label(label) for name, (label, _) in NUMBERS.items()}
        self._choices = {
            "preset": _choice("preset", PRESETS, defaults.preset),
            "device": _choice("device", DEVICES, "auto"),
            "precision": _choice("precision", PRECISIONS, "auto"),
            "on_hangup": _choice("on_hangup", ON_HANGUP, defaults.on_hangup),
        }
        self._cost = Static("", id="cost", markup=False)
        self._problem = Static("", id="problem", markup=False)
        self._text = FormText(backend, jobs, self._text_read)
        self._start = FormStart(backend, jobs)
        self._refused = ""
        self._to_start = ""  # the text that was to be started before it was read
        self._filled = dict.fromkeys(self._numbers, "")  # what the preset and the fitting have put into the fields
        self._speed: float | None = None  # characters × parameters per second, once known
        self._speed_measured = False

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False), Grid():
            yield from (Label("text"), Horizontal(self.text, self._choose, classes="wide"))
            yield from (Label("preset"), self._choices["preset"])
            yield from (Label("name"), self._run_name)
            for name, field in self._numbers.items():
                yield from (self._labels[name], field)
            yield from (Label("start from"), self._start.model, Label("old text"), self._start.old_text)
            yield from (Label("device"), self._choices["device"], Label("precision"), self._choices["precision"])
            yield from (Label("encoding"), self._encoding, Label("on hangup"), self._choices["on_hangup"])
        yield self._cost
        yield self._problem
        yield Button("Start  F5", variant="primary", id="start", compact=True)

    def on_mount(self) -> None:
        self._read_timer = self.set_timer(_READ_DELAY_SECONDS, self._read_text, pause=True)
        with self.prevent(Input.Changed):
            self.text.value, self._encoding.value = self._path, "utf-8"
            self._fill()
        self._read_text()
        self._jobs.submit(_SPEED, self._measure, self._set_speed)

    def on_resize(self) -> None:
        """Below a few rows the fields scroll; what the run will cost, what is wrong, and Start stay in sight."""
        narrow = self.size.width < 56
        self.set_class(narrow, "-narrow")
        self.set_class(self.size.height < (26 if narrow else 18), "-low")
        self.set_class(self.size.height < 10, "-flat")
        self.check()

    def show_text(self, path: str) -> None:
        """Fill in the form for this text; possible before it is mounted."""
        self._path = path
        if self.is_mounted:
            self.text.value = path

    def show_start(self, model: str, old_text: str) -> None:
        """Fill in what the run starts from, and the text whose loss is watched."""
        self._start.model.value, self._start.old_text.value = model, old_text

    @on(Input.Changed, "#init_from")
    def _another_start(self) -> None:
        self._start.read(self._fill)

    @on(Input.Changed, "#corpus")
    def _another_text(self) -> None:
        self._skip(0, 0)
        self._text_changed()

    @on(Input.Changed, "#encoding, #skip_head, #skip_tail")
    def _text_changed(self) -> None:
        self._text.forget()
        self._read_timer.stop()
        self._read_timer = self.set_timer(_READ_DELAY_SECONDS, self._read_text)

    @on(Input.Changed)
    @on(Select.Changed)
    def _field_changed(self) -> None:
        self._refused = ""
        self._fill()

    @on(Button.Pressed, "#start")
    @on(Input.Submitted)
    def _start_pressed(self, event: Message) -> None:
        event.stop()
        self.submit()

    @on(Button.Pressed, "#choose")
    def choose_text(self, event: Message | None = None) -> None:
        """Offer the texts that there are; the one that is chosen fills the form."""
        if event is not None:
            event.stop()

        def fill(path: str | None) -> None:
            if path is not None:
                self.show_text(path)
                self.text.action_end()

        self.app.push_screen(TextPicker(self._jobs, self._backend.runs), fill)

    def submit(self) -> None:
        """Start the run, at once or when its text is read; offer texts if none is named; or say what is wrong."""
        self._refused, self._to_start = "", ""
        path = self.text.value.strip()
        if not path:
            self.choose_text()
            return
        request = self.check()
        if request is not None:
            self._training.start(request, self.refuse)
            return
        if self._text.read is None and not self._text.problem and self._settings()[0] is not None:
            self._to_start = path
            self._show_reading(path)
            return
        if self._text.read is None:
            self.text.focus()
        self.app.bell()

    def _text_read(self) -> None:
        self._fill()
        if self._to_start and self._to_start == self.text.value.strip():
            self.submit()

    @property
    def has_licence(self) -> bool:
        """Whether the text has something at its ends that can be left out."""
        return self._text.read is not None and bool(self._text.read.summary.boilerplate)

    def leave_out_licence(self) -> None:
        """Leave out what looks like a licence at the ends of the text."""
        if (read := self._text.read) is not None:
            found, settings = read.summary.boilerplate, read.settings
            self._skip(settings.skip_head + found.head, settings.skip_tail + found.tail)

    def _skip(self, head: int, tail: int) -> None:
        self._numbers["skip_head"].value, self._numbers["skip_tail"].value = str(head), str(tail)

    def refuse(self, problem: str) -> None:
        """Say why a run could not be started, until a field is changed."""
        self._refused = problem
        self.check()

    def _read_text(self) -> None:
        path = self.text.value.strip()
        with suppress(ValueError):  # not a number, as `check` says
            head, tail = (int(self._numbers[name].value) for name in ("skip_head", "skip_tail"))
            if path and min(head, tail) >= 0:
                self._show_reading(path)
                self._text.begin(path, TextSettings(self._encoding_name, head, tail))

    def _show_reading(self, path: str) -> None:
        self._cost.update(f"reading {path}{'; then the run starts' if path == self._to_start else ''} …")

    def _measure(self, token: CancelToken) -> tuple[float, bool]:
        newest = [self._followers.of(run) for run in self._backend.runs()[:_RUNS_READ]]
        for follower in newest:
            token.check()
            follower.poll()
        return training_speed(follower.progress for follower in newest)

    def _set_speed(self, speed: tuple[float, bool]) -> None:
        self._speed, self._speed_measured = speed
        self.check()

    @property
    def _encoding_name(self) -> str:
        return self._encoding.value.strip() or "utf-8"

    def _fill(self) -> None:
        """Fill every field that the user has not changed: from the preset, fitted to the text and to what was typed."""
        edited, typed = self._edited, dict[str, float](self._start.sizes)
        for name in edited:
            with suppress(ValueError):
                typed[name] = NUMBERS[name][1](self._numbers[name].value)
        with suppress(SettingsError):  # a number that is out of range, as `check` says
            settings = settings_for(str(self._choices["preset"].value), **self._start.given, **typed)
            if self._text.read is not None:
                settings = fit_to_text(settings, len(self._text.read.corpus), typed)
            by_budget = self._by_budget
            for name in self._numbers.keys() - edited:
                value = "" if name in by_budget else as_text(getattr(settings, name))
                self._filled[name] = self._numbers[name].value = value
                self._numbers[name].placeholder = "by the budget" if name in by_budget else OPTIONAL.get(name, "")
        self.check()

    @property
    def _by_budget(self) -> tuple[str, ...]:
        """The fields that may be empty, since the budget decides on them when the run starts."""
        if not self._numbers["budget"].value.strip():
            return ()
        fixed = self._choices["preset"].value == "notebook" or "init_from" in self._start.given
        return BY_BUDGET[1:] if fixed else BY_BUDGET

    @property
    def _edited(self) -> set[str]:
        """The fields that the user has changed."""
        empty = (*OPTIONAL, *self._by_budget)  # fields that may be
        changed = (name for name, field in self._numbers.items() if field.value != self._filled[name])
        return {name for name in changed if self._numbers[name].value.strip() or name not in empty}

    def check(self) -> RunRequest | None:
        """Check all fields and show what is wrong, or what the run will cost; return the request if all is well."""
        settings, wrong, problem = self._settings()
        for name, label in self._labels.items():
            label.set_class(name == wrong, "-invalid")
        path, read = self.text.value.strip(), self._text.read
        if not path:
            self._cost.update(f"Name the text to train on, or press Enter to choose one: a file, or {DEMO}.")
        elif settings is not None and read is not None:
            self._cost.update(self._cost_lines(settings, read))
            try:
                check_geometry(len(read.corpus), settings.batch_size, settings.seq_length, settings.val_frac)
            except TextTooShort as error:
                problem = str(error)
        elif self._text.problem or settings is None:
            self._cost.update("")
        problem = self._refused or self._text.problem or self._start.problem or problem
        self._problem.update("✗ " + problem if problem else "")
        if problem or settings is None or read is None or self._start.reading:
            return None
        fitted = settings.budget is None and not settings.init_from
        given = None if fitted else frozenset(self._edited)
        return RunRequest(read.named.files, settings, self._run_name.value.strip() or None, given)

    def _settings(self) -> tuple[TrainSettings | None, str, str]:
        """(settings, "", "") or (None, the name of the wrong field, what is wrong)."""
        given: dict[str, Any] = {name: choice.value for name, choice in self._choices.items()}
        given |= self._start.given
        given["encoding"], by_budget, edited = self._encoding_name, self._by_budget, self._edited
        for name, (label, kind) in NUMBERS.items():
            text = self._numbers[name].value.strip().replace("_", "")
            if name not in edited and (name in OPTIONAL or name in by_budget):
                continue
            try:
                given[name] = kind(text)
            except ValueError:
                return None, name, f"{label}: {text!r} is not {KINDS[kind]}"
        if "budget" in given and "epochs" in given:
            return None, "epochs", "epochs: the budget decides on them; clear one of the two"
        try:
            settings = settings_for(**given)
            if by_budget and self._text.read is not None:  # what is empty is that of the text, at most
                settings = fit_to_text(settings, len(self._text.read.corpus), edited)
            return settings, "", ""
        except SettingsError as error:
            return None, error.field, f"{label_of(error.field)}: {str(error).partition(': ')[2]}"

    def _cost_lines(self, settings: TrainSettings, read: ReadText) -> str:
        cost = training_cost(settings, len(read.corpus), len(read.corpus.vocabulary), self._speed or math.inf)
        about = "about" if self._speed_measured else "very roughly"
        time_needed = f"{about} {duration(cost.seconds)} on this machine" if self._speed else "measuring the machine …"
        preset, by_budget = settings_for(settings.preset), self._by_budget
        unlike = [name for name in NUMBERS if getattr(settings, name) != getattr(preset, name)]
        fitted = [name for name in unlike if name not in self._edited and name not in by_budget]
        numbers = [f"{label_of(name)} {as_text(getattr(settings, name))}" for name in fitted]
        model, parameters = f"{settings.n_layers}×{settings.n_hidden}", f"{count(cost.parameters)} parameters"
        memory = f"adds {size(cost.memory_bytes)} of memory"
        batch = f"{settings.batch_size} × {settings.seq_length} characters a step"
        run = (f"{cost.steps:,} steps", time_needed, batch) if cost.steps else ()  # the text may be too short for one
        if settings.budget is not None:
            run = (duration(settings.budget), "its steps planned at the start", batch)
        if "n_hidden" in by_budget and not self._numbers["n_hidden"].value:
            model = f"at most {model}"
        lines = (
            *read.lines(),
            ("model", model, parameters, memory),
            ("run", *run),
            ("fitted", *numbers),
        )
        room = self.size.width - 8
        return "\n".join(f"{label:<8}" + as_fits(parts, room, ", ") for label, *parts in lines if parts)


def _choice(name: str, values: Iterable[str], chosen: str) -> Select[str]:
    return Select([(value, value) for value in values], value=chosen, allow_blank=False, compact=True, id=name)

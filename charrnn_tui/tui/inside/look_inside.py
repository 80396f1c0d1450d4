"""Look inside a model: a menu of studies, each of which takes a while and shows what it has found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList

from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.tui.dialogs.choice_list import ChoiceList
from charrnn_tui.tui.dialogs.dialog import Dialog
from charrnn_tui.tui.dialogs.job_note import JobNote, Report
from charrnn_tui.tui.keys import Key, bindings_of
from charrnn_tui.tui.textview.visible import visible

_CHOOSE = "Enter looks · Esc closes"


@dataclass(frozen=True)
class Study:
    """A row of the menu. find: blocks, and raises ValueError, one line. show: a widget for what was found.

    keys: of that widget, for the line below it. source: the text that was read.
    """

    name: str
    question: str
    find: Callable[[Report], Any]
    show: Callable[[Any], Widget]
    keys: str = ""
    source: Callable[[Any], str] = lambda found: ""


class LookInside(Dialog[None]):
    """Finds out what is asked for in a job; what was found before is shown at once."""

    HELP = """What the model has learned, and how. Each study takes a while, and Esc stops it.

They read what was held out of the training; where the playground does not find that text, a text that the model has \
written. The line at the bottom says which."""

    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("escape", "back", "Back", "Stop, go back to the menu, or close it.", "inside.back"),
        Key("i,I", "dismiss(None)", "Close", "Close the menu.", "inside.close"),
    )
    BINDINGS = bindings_of(KEYS)

    def __init__(self, name: str, studies: Sequence[Study], jobs: Jobs, found: dict[str, Any]) -> None:
        """name: of the run or the model. found: by the names of the studies; what is found is added."""
        super().__init__()
        self._name, self._studies, self._found = name, studies, found
        self._box = Vertical(id="inside-box")
        self._list = ChoiceList[Study]()
        self._note = JobNote(jobs, _CHOOSE)
        self._shown: Widget | None = None

    def compose(self) -> ComposeResult:
        with self._box:
            self._box.border_title = Content(visible(f"inside {self._name}"))
            yield self._list
            yield self._note

    def on_mount(self) -> None:
        width = max(len(study.name) for study in self._studies)
        self._list.fill((study, f"{study.name:<{width}}  {study.question}") for study in self._studies)

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        study = self._list.value_of(event.option)
        if study is None:
            return
        if study.name in self._found:
            self._show(study)
        else:
            self._note.run_long(study.find, lambda result: self._keep(study, result))

    def _keep(self, study: Study, result: Any) -> None:
        self._found[study.name] = result
        self._show(study)

    def _show(self, study: Study) -> None:
        found = self._found[study.name]
        self._shown = study.show(found)
        self._box.border_subtitle = Content(visible(study.source(found)))
        self._list.display = False
        self.mount(self._shown, before=self._note)
        self.set_class(True, "-showing")
        self._shown.focus()
        self._note.say(f"{study.name} · {study.keys}Esc goes back")

    def action_back(self) -> None:
        """One layer out."""
        if self._note.busy:
            self._note.stop()
            self._note.say(f"stopped · {_CHOOSE}")
        elif self._shown is not None:
            self._shown.remove()
            self._shown = None
            self._box.border_subtitle = ""
            self.set_class(False, "-showing")
            self._list.display = True
            self._list.focus()
            self._note.say(_CHOOSE)
        else:
            self.dismiss()

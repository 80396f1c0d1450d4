"""The part of the playground that keeps: writing to files, copying, recipes."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from charrnn_tui.playground.checkpoint_pins import pin_checkpoint
from charrnn_tui.run.files import write_atomically
from charrnn_tui.sampling.page_record import page_record
from charrnn_tui.sampling.recipe import Recipe, RecipeError
from charrnn_tui.tui.play.choosing_models import ChoosingModels
from charrnn_tui.tui.textview.visible import visible

if TYPE_CHECKING:
    from charrnn_tui.playground.models import LoadedModel
    from charrnn_tui.sampling.generated_text import GeneratedText

COPY_FILE: Final = "copied.txt"  # in the runs directory
RECIPES: Final = "recipes"  # so too
OSC_52_MOST: Final = 70_000  # bytes; terminals cut or drop more
KEEPING: Final = frozenset({"save", "copy", "copy_recipe"})


class KeepingTexts(ChoosingModels):
    """Keys that take a text out of the playground."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "save", "write", show=False, id="play.write"),
        Binding("y", "copy", "copy", show=False, id="play.copy"),
        Binding("Y", "copy_recipe", "Copy as a command", show=False, id="play.recipe"),
    ]

    def action_save(self) -> None:
        from charrnn_tui.tui.dialogs.save_text import SaveText, proposed_name  # not before it is shown

        branch = self.desk.branches.current
        if branch is None:
            self.tell("there is no text yet")
            return
        page, model = branch.page, branch.model
        forms: dict[str, Callable[[], bytes]] = {
            ".txt": lambda: (page.prime + page.text).encode("utf-8", "surrogatepass"),
            ".json": lambda: self._with_probabilities(page, model),
            ".svg": lambda: self.app.call_from_thread(self._picture, model).encode(),
        }
        name = proposed_name(Path.cwd(), model.source.path.stem)
        self.app.push_screen(SaveText(forms, len(page.prime) + len(page), name), self._saved)

    def _picture(self, model: LoadedModel) -> str:
        from charrnn_tui.tui.play.text_picture import text_picture  # Rich's exporter: not before it is asked for

        title = f"{model.title} · {self.desk.settings.words}"
        return text_picture(self.desk.text_view, title, self.desk.sheet.legend)

    def _with_probabilities(self, page: GeneratedText, model: LoadedModel) -> bytes:
        try:
            recipe = Recipe.of(page, str(model.source.file.resolve()), model.sha256).as_json() if model.sha256 else None
        except RecipeError:  # the text is here all the same
            recipe = None
        return (json.dumps(page_record(page) | {"recipe": recipe}, indent=1) + "\n").encode()

    def _saved(self, path: Path | None) -> None:
        if path is not None:
            self.notify(visible(f"written to {path}"), markup=False)

    def action_copy(self) -> None:
        """What is selected, or else the whole text."""
        view, text = self.desk.text_view, self.desk.text
        start, end = view.selected or (0, len(text))
        self._copy(text[start:end], self.backend.runs_directory / COPY_FILE)

    def _copy(self, text: str, path: Path) -> None:
        """To the clipboard of a terminal that allows it, which it does not tell, and so to a file as well."""
        data = text.encode("utf-8", "surrogatepass")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data)
            words = f"{len(text):,} characters are in {path}"
        except OSError as error:
            words = f"{path}: cannot be written: {error.strerror or error}"
        if len(data) <= OSC_52_MOST:
            self.app.copy_to_clipboard(data.decode("utf-8", "replace"))
            words += ", and in the clipboard if the terminal allows it"
        self.notify(visible(words), markup=False)

    def action_copy_recipe(self) -> None:
        """The command that writes this text again; the recipe that it names lies beside the runs."""
        branch = self.desk.branches.current
        if branch is None:
            self.tell("there is no text yet")
            return
        directory = self.backend.runs_directory / RECIPES
        try:
            directory.mkdir(parents=True, exist_ok=True)
            recipe = Recipe.of(branch.page, str(pin_checkpoint(branch.model, directory)), branch.model.sha256)
            data = (json.dumps(recipe.as_json(), indent=1) + "\n").encode()
            path = directory / f"{branch.model.source.path.stem}-{recipe.name}.json"
            write_atomically(path, data)
        except OSError as error:
            self.tell(f"{directory}: cannot be written: {error.strerror or error}")
        except ValueError as error:
            self.tell(f"no recipe: {error}")
        else:
            self._copy(f"charrnn-tui sample --recipe {shlex.quote(str(path))}", directory / "command.txt")

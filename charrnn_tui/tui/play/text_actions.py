"""What keys do with the text on the screen: choose another one, edit a line, write it to a file, copy it."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.segment import Segment, Segments
from rich.terminal_theme import TerminalTheme

from charrnn_tui.playground.branches import Branch
from charrnn_tui.playground.jobs import Jobs
from charrnn_tui.playground.playground import NO_TEXT
from charrnn_tui.playground.text_export import COPY_FILE, RECIPES, as_bytes, with_probabilities, write_recipe
from charrnn_tui.run.files import write_atomically
from charrnn_tui.tui.dialogs.branch_list import BranchList
from charrnn_tui.tui.dialogs.edit_text import EditText
from charrnn_tui.tui.dialogs.save_text import SaveText, proposed_name
from charrnn_tui.tui.play.pane import PlaygroundPane
from charrnn_tui.tui.textview.visible import visible

Report = Callable[[str], None]  # called after an answer with a line for the user, or with an empty one

_CLIPBOARD_BYTES: Final = 70_000  # terminals truncate or ignore longer OSC 52 sequences
# Rich's own asks the network for a font at every look; the reader's own monospaced one does.
_SVG_FORMAT: Final = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def choose_branch(pane: PlaygroundPane, report: Report) -> None:
    """Show the branch that is chosen from the list of all."""

    def chosen(branch: Branch | None) -> None:
        if branch is not None:
            pane.playground.turn_to(branch)
        report("")

    pane.app.push_screen(BranchList(pane.playground.tree), chosen)


def edit_line(pane: PlaygroundPane, report: Report) -> None:
    """Edit the line under the cursor or, if none is shown, the last one; the model goes on behind it."""
    branch, view = pane.playground.tree.current, pane.text_view
    if branch is None:
        report(NO_TEXT)
        return
    text = branch.generated.text
    shown = view.show_cursor and view.cursor is not None
    cursor = (view.cursor or 0) - len(branch.generated.prime) if shown else len(text)
    if cursor < 0:
        pane.prime_field.edit()
        return
    start = text.rfind("\n", 0, cursor) + 1
    line = text[start:].partition("\n")[0]

    def edited(answer: str | None) -> None:
        if answer is not None and answer != line:
            pane.playground.turn_to(branch)  # a replay may have shown another one meanwhile
            report(pane.playground.edit(start, answer))

    pane.app.push_screen(EditText(line, cursor - start, branch.generated.vocabulary), edited)


def save_text(pane: PlaygroundPane, jobs: Jobs, report: Report) -> None:
    """Ask for a file name, whose ending chooses the form: text, JSON with probabilities, or a picture."""
    branch, app = pane.playground.tree.current, pane.app
    if branch is None:
        report(NO_TEXT)
        return
    whole = branch.generated.prime + branch.generated.text
    title = f"{branch.model.title} · {pane.playground.settings.description}"
    forms: dict[str, Callable[[], bytes]] = {
        ".txt": lambda: as_bytes(whole),
        ".json": lambda: with_probabilities(branch),
        ".svg": lambda: app.call_from_thread(text_picture, pane, title).encode(),
    }
    name = proposed_name(Path.cwd(), branch.model.source.path.stem)
    dialog = SaveText(jobs, forms, len(whole), name)
    app.push_screen(dialog, lambda path: report(f"written to {path}" if path else ""))


def text_picture(pane: PlaygroundPane, title: str) -> str:
    """SVG of every row, wrapped as on the screen, with prime, marks and colours as they are there; the legend below."""
    view = pane.text_view
    background, text = view.background_colors[1].rgb, view.rich_style.color
    plain = tuple(text.get_truecolor()) if text is not None else (0, 0, 0)
    theme = TerminalTheme(background, (plain[0], plain[1], plain[2]), [(0, 0, 0)] * 8)
    width = max(20, view.text_area_size.width)
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    below = [[], *pane.legend.painted_rows()] if pane.legend is not None else []
    for segments in [*view.painted_rows(), *below]:
        console.print(Segments([*segments, Segment.line()]), end="", soft_wrap=True)
    return console.export_svg(title=visible(title), theme=theme, code_format=_SVG_FORMAT)


def copy_text(pane: PlaygroundPane, runs_directory: Path) -> str:
    """Copy the selection or, without one, prime and text; returns a line that says where it is."""
    text = pane.playground.text
    start, end = pane.text_view.selected or (0, len(text))
    return _copy(pane, text[start:end], runs_directory / COPY_FILE)


def copy_command(pane: PlaygroundPane, runs_directory: Path) -> str:
    """Copy the command that writes this text again; the recipe it names is written into the runs directory."""
    branch, recipes = pane.playground.tree.current, runs_directory / RECIPES
    if branch is None:
        return NO_TEXT
    try:
        command = write_recipe(branch, runs_directory)
    except OSError as error:
        return f"{recipes}: cannot be written: {error.strerror or error}"
    except ValueError as error:
        return f"no recipe: {error}"
    return _copy(pane, command, recipes / "command.txt")


def _copy(pane: PlaygroundPane, text: str, path: Path) -> str:
    """To a file and, since a terminal does not say whether it allows that, to the clipboard as well."""
    data = as_bytes(text)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)
        note = f"{len(text):,} characters are in {path}"
    except OSError as error:
        note = f"{path}: cannot be written: {error.strerror or error}"
    if len(data) <= _CLIPBOARD_BYTES:
        pane.app.copy_to_clipboard(data.decode("utf-8", "replace"))
        note += ", and in the clipboard if the terminal allows it"
    return note

"""Options that several commands share."""

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from charrnn_tui.cli.output import TERMINAL, say
from charrnn_tui.run.quantities import seconds_of
from charrnn_tui.runner.runs_directory import RUNS_VARIABLE, default_runs_directory
from charrnn_tui.text.byte_text import BYTES
from charrnn_tui.text.encodings import COMMON_ENCODINGS, is_text_encoding
from charrnn_tui.text.text_names import Unreadable, files_of

PROGRAM = "charrnn-tui"
NAMED: Final = 5  # files that are left out, each with the reason

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class FiniteFloat(click.types.FloatParamType):
    """A number; `nan` and `inf`, which click lets through, are refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


class Duration(click.ParamType):  # type: ignore[type-arg]
    """A time such as `90s` or `1h30m`, in seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return value if isinstance(value, float) else seconds_of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class OrNone(click.ParamType):  # type: ignore[type-arg]  # it takes one since click 8.4
    """A value of another type, or `none`, which switches a setting off."""

    def __init__(self, kind: Any) -> None:
        self.kind, self.name = kind, kind.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return None if value in ("none", "off") else self.kind.convert(value, param, ctx)


def names(ctx: click.Context, incomplete: str, *others: str) -> list[Any]:
    """Completions for the shell: the runs, and the others, that begin so; files, where there are none of these."""
    from click.shell_completion import CompletionItem  # needed for completion only

    from charrnn_tui.run.directory import list_runs

    given = ctx.params.get("runs_dir") or (ctx.parent and ctx.parent.params.get("runs_dir"))
    known = [*others, *(run.name for run in list_runs(Path(given or default_runs_directory())))]
    items = [CompletionItem(name) for name in known if name.startswith(incomplete)]
    return [CompletionItem(incomplete, type="file"), *items]


def run_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    """Completions of a run by its name or directory."""
    return names(ctx, incomplete)


def model_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    """Completions of a checkpoint by its path, a run, or a shipped model."""
    from charrnn_tui.runner.find_model import SHIPPED  # loads NumPy

    return names(ctx, incomplete, *SHIPPED)


class TextFileName(click.ParamType):  # type: ignore[type-arg]
    """The name of a file to read a text from; `-` is standard input, `demo:python` the demo text."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value == "-":
            return "/dev/stdin"
        if str(value).startswith("demo:"):
            from charrnn_tui.text.demo import text_path  # not needed by `--help`

            return text_path(value)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem  # needed for completion only

        return [CompletionItem(incomplete, type="file")]


def _runs_directory(ctx: click.Context, param: click.Parameter, given: Path | None) -> Path:
    if given is not None:
        return Path(os.path.expanduser(given))
    if ctx.parent is not None:  # `charrnn-tui --runs-dir D runs` and `charrnn-tui runs --runs-dir D` are the same
        return Path(ctx.parent.params["runs_dir"])
    return default_runs_directory()


runs_option = click.option(  # for the program and for each command that looks for runs
    "--runs-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    callback=_runs_directory,
    help=f"Where runs are kept.  [env: {RUNS_VARIABLE}; default: your data directory]",
)
low_bandwidth_option = click.option(
    "--low-bandwidth", is_flag=True, help="Draw a run less often.  [default: over SSH (SSH_CONNECTION)]"
)


def json_option(what: str) -> Callable[[Decorated], Decorated]:
    """The option `--json`, passed as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=what)


def _encoding(ctx: click.Context, param: click.Parameter, name: str | None) -> str | None:
    if ctx.meta.get(_BYTES):
        if name not in (None, BYTES):
            raise click.UsageError("--bytes and --encoding exclude each other")
        return BYTES
    if name is not None and not is_text_encoding(name):
        raise click.BadParameter(f"{name!r}: no such encoding; common ones are {COMMON_ENCODINGS}")
    return name


encoding_option = click.option(  # None where it is not given
    "--encoding",
    metavar="NAME",
    callback=_encoding,
    help="Encoding of the text file.  [default: utf-8; bytes for a model of these]",
)


def _note_bytes(ctx: click.Context, param: click.Parameter, given: bool) -> None:
    ctx.meta[_BYTES] = given


_BYTES: Final = "charrnn_tui.bytes"  # in the context of a command line: whether --bytes stands there
bytes_option = click.option(  # for commands that have --encoding, which then is `bytes`
    "--bytes",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_note_bytes,
    help="Read any file at all, as bytes: the model's alphabet are the 256 of these. The same as --encoding bytes.",
)


unreadable_option = click.option(
    "--unreadable",
    type=click.Choice(["refuse", "skip"]),
    default="refuse",
    show_default=True,
    help="What to do with a file of a directory or pattern that cannot be opened or decoded.",
)


def named_files(names: Sequence[str], encoding: str | None, unreadable: Unreadable) -> tuple[str, ...]:
    """The files that the names of texts mean; says which are left out, and why. Raises CorpusError."""
    named = files_of(names, encoding or "utf-8", unreadable)
    for reason in named.left_out[:NAMED]:
        say(f"left out: {reason}")
    if (more := len(named.left_out) - NAMED) > 0:
        say(f"left out: {more:,} more")
    return named.files


def _draw_in_ascii(ctx: click.Context, param: click.Parameter, given: bool | None) -> None:
    """Decide whether our signs are drawn in ASCII: by the option, a variable, the settings file, or the terminal."""
    if ctx.resilient_parsing:  # the shell completes a command line
        return
    from charrnn_tui.cli.configuration import draws_ascii  # not needed by `--help`

    wanted = ctx.meta.setdefault(_ASCII, given) if given is None else given
    ctx.meta[_ASCII] = wanted
    TERMINAL.ascii = draws_ascii() if wanted is None else wanted


_ASCII: Final = "charrnn_tui.ascii"  # in the context of a command line: what its options say
ASCII_OPTION: Final = click.Option(  # of the program and of every command
    ["--ascii/--no-ascii"],
    default=None,
    expose_value=False,
    callback=_draw_in_ascii,
    help="Draw with ASCII characters only.  [env: CHARRNN_TUI_ASCII; default: where the locale is not UTF-8, "
    "and on the Linux console]",
)

"""Write docs/cli.md, the help of every command: `python docs/cli_pages.py`."""

from pathlib import Path

import click

from charrnn_tui.cli.main import COMMANDS, cli
from charrnn_tui.cli.options import PROGRAM

PAGE = Path(__file__).with_name("cli.md")
_COLUMNS = 100


def written() -> str:
    """The page as the commands declare themselves now."""
    widths = {"max_content_width": _COLUMNS, "terminal_width": _COLUMNS}
    context = click.Context(cli, info_name=PROGRAM, **{**cli.context_settings, **widths})
    sections = [f"## {PROGRAM}\n\n{_fenced(cli, context)}"]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        own = click.Context(command, context, name, **widths)
        sections.append(f"## {PROGRAM} {name}\n\n{_fenced(command, own)}")
        for part, each in command.commands.items() if isinstance(command, click.Group) else ():
            inner = click.Context(each, own, part, **widths)
            sections.append(f"## {PROGRAM} {name} {part}\n\n{_fenced(each, inner)}")
    head = "# The command line\n\nWhat `--help` says of each command, written by `make docs`.\n"
    return "\n".join([head, *sections])


def _fenced(command: click.Command, context: click.Context) -> str:
    return f"```text\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")

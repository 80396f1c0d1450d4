"""`charrnn-tui completion`: what makes the shell complete commands, options, and the names of runs and models."""

import click
from click.shell_completion import get_completion_class

from charrnn_tui.cli.options import PROGRAM

SHELLS = {  # how each reads it at every start
    "bash": f"echo 'eval \"$({PROGRAM} completion bash)\"' >> ~/.bashrc",
    "zsh": f"echo 'eval \"$({PROGRAM} completion zsh)\"' >> ~/.zshrc",
    "fish": f"{PROGRAM} completion fish > ~/.config/fish/completions/{PROGRAM}.fish",
}
_VARIABLE = "_CHARRNN_TUI_COMPLETE"  # by which click is asked for completions


@click.command("completion", epilog="\b\nFor every new shell:\n" + "\n".join(SHELLS.values()))
@click.argument("shell", type=click.Choice(list(SHELLS)))
def completion_command(shell: str) -> None:
    """Print the script that makes SHELL complete commands, options, and the names of runs and models.

    It is for `eval`, in the shell itself or in the file that it reads at its start. Bash must be 4.4 or newer.
    """
    kind = get_completion_class(shell)
    assert kind is not None  # click knows all of SHELLS
    click.echo(kind(click.get_current_context().find_root().command, {}, PROGRAM, _VARIABLE).source())

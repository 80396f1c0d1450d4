"""`charrnn-tui export`: write a checkpoint in another format."""

import dataclasses
from pathlib import Path

import click

from charrnn_tui.checkpoint.checkpoint import Checkpoint, tensor_shapes
from charrnn_tui.checkpoint.safetensors_file import write_checkpoint
from charrnn_tui.cli.options import model_names, runs_option
from charrnn_tui.cli.output import say
from charrnn_tui.run.quantities import size
from charrnn_tui.runner.find_model import locate_checkpoint, open_checkpoint

ENDINGS = (".safetensors", ".net")


@click.command("export")
@click.argument("source", metavar="SOURCE", shell_complete=model_names)
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite OUT if it exists.")
@runs_option
def export_command(source: str, out: Path, force: bool, runs_dir: Path) -> None:
    """Write the model of SOURCE, a checkpoint or a run, to OUT, whose ending chooses the format.

    .safetensors keeps all facts and is read without running code. .net is the notebook's file, for torch.load: weights,
    sizes and alphabet, nothing else. The weights keep every bit.
    """
    if out.suffix not in ENDINGS:
        raise click.UsageError(f"{out}: the ending chooses the format, and it must be {' or '.join(ENDINGS)}")
    checkpoint = open_checkpoint(locate_checkpoint(source, runs_dir))
    if out.exists() and not force:
        raise click.ClickException(f"{out}: exists already; --force overwrites it")
    try:
        if out.suffix == ".safetensors":
            write_checkpoint(out, _in_order(checkpoint))
        else:
            from charrnn_tui.training.net_writer import write_net  # torch takes seconds, and only .net files need it

            write_net(out, _in_order(checkpoint))
    except OSError as error:
        raise click.ClickException(f"{out}: cannot be written: {error.strerror or error}") from None
    say(f"{out}: {size(out.stat().st_size)}, {checkpoint.parameters:,} parameters")


def _in_order(checkpoint: Checkpoint) -> Checkpoint:
    """Tensors in the order of PyTorch's `state_dict`, whatever the file's."""
    names = tensor_shapes(len(checkpoint.vocabulary), checkpoint.n_hidden, checkpoint.n_layers)
    return dataclasses.replace(checkpoint, weights={name: checkpoint.weights[name] for name in names})

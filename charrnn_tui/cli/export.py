"""`charrnn-tui export`: write a checkpoint in another format."""

from pathlib import Path

import click

from charrnn_tui.cli.options import model_names, runs_option
from charrnn_tui.cli.output import say
from charrnn_tui.run.quantities import size
from charrnn_tui.runner.export import MODEL_ENDINGS, export_model
from charrnn_tui.runner.find_model import locate_checkpoint, open_checkpoint


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
    if out.suffix not in MODEL_ENDINGS:
        raise click.UsageError(f"{out}: the ending chooses the format, and it must be {' or '.join(MODEL_ENDINGS)}")
    checkpoint = open_checkpoint(locate_checkpoint(source, runs_dir))
    export_model(checkpoint, out, force)
    say(f"{out}: {size(out.stat().st_size)}, {checkpoint.parameters:,} parameters")

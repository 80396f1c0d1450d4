"""`charrnn-tui export`: write a model, or the losses of a run, for other programs."""

import os
from pathlib import Path

import click

from charrnn_tui.cli.options import model_names, runs_option
from charrnn_tui.cli.output import say
from charrnn_tui.cli.tokens import tokens_option
from charrnn_tui.run.quantities import size
from charrnn_tui.runner.export import MODEL_ENDINGS, export_csv, export_model, export_tensorboard
from charrnn_tui.runner.find_model import find_run_or_fail, locate_checkpoint, open_checkpoint

_FORMATS = (
    f"{', '.join(MODEL_ENDINGS[:-1])} or {MODEL_ENDINGS[-1]} of a model, .csv or .svg of a run's losses, "
    "or a directory, with / at its end, of a run's losses for TensorBoard"
)


@click.command("export")
@click.argument("source", metavar="SOURCE", shell_complete=model_names)
@click.argument("out", type=click.Path())
@click.option("--force", is_flag=True, help="Overwrite OUT if it exists.")
@tokens_option
@runs_option
def export_command(source: str, out: str, force: bool, tokens: list[str] | None, runs_dir: Path) -> None:
    """Write the model of SOURCE, a checkpoint or a run, or the losses of the run SOURCE, to OUT, whose ending chooses
    the format.

    \b
    .safetensors   the model: keeps all facts and every bit of the weights,
                   and is read without running code
    .net           the model as the notebook's file, for torch.load: weights,
                   sizes and alphabet, nothing else
    .onnx          the model for other programs; its metadata have the alphabet
                   (needs charrnn-tui[onnx])
    .csv           the losses, a line for each step: step, epoch, loss, val_loss
                   (nats/char), lr, grad_norm, chars_per_second, train_seconds
    .svg           the losses as a picture
    a directory/   the losses for TensorBoard and what reads its files
                   (needs charrnn-tui[tensorboard])
    """
    path = Path(out)
    if path.suffix in MODEL_ENDINGS:
        checkpoint = open_checkpoint(locate_checkpoint(source, runs_dir), tokens)
        export_model(checkpoint, path, force)
        say(f"{path}: {size(path.stat().st_size)}, {checkpoint.parameters:,} parameters")
    elif path.suffix == ".csv":
        steps = export_csv(find_run_or_fail(source, runs_dir), path, force)
        say(f"{path}: {size(path.stat().st_size)}, {steps:,} steps")
    elif path.suffix == ".svg":
        from charrnn_tui.cli.loss_svg import export_svg  # the chart's code, which nothing else here needs

        steps = export_svg(find_run_or_fail(source, runs_dir), path, force)
        say(f"{path}: {size(path.stat().st_size)}, {steps:,} steps")
    elif out.endswith(os.sep) or path.is_dir():
        steps = export_tensorboard(find_run_or_fail(source, runs_dir), path, force)
        say(f"{path}: {steps:,} steps; tensorboard --logdir {path} shows them")
    else:
        raise click.UsageError(f"{out}: the ending of OUT chooses the format: {_FORMATS}")

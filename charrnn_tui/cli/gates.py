"""`charrnn-tui gates`: how often the gates of each layer are open or closed."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import click

from charrnn_tui.analysis.gates import CLOSED, OPEN, gate_shares
from charrnn_tui.analysis.reading import ReadBlock, read_blocks
from charrnn_tui.cli.model_text import model_text_options, open_model_text, progress_bar
from charrnn_tui.cli.options import json_option
from charrnn_tui.cli.output import DataStream, say
from charrnn_tui.runner.facts import model_facts


@click.command("gates")
@model_text_options()
@json_option("Write one JSON object.")
def gates_command(as_json: bool, **given: Any) -> None:
    """Show how often the gates of each layer are closed or open while the model reads the text FILE.

    A forget gate that is open keeps the cell for a long time; a closed one erases it. Layers whose forget gates are
    seldom saturated work like a plain feed-forward layer.
    """
    read = open_model_text(**given)
    names = read.model.cell.gate_names
    if not names:
        raise click.ClickException(f"{read.path}: the model is a plain RNN, which has no gates")
    with progress_bar(len(read.ids), "reading") as bar:

        def counted() -> Iterator[ReadBlock]:
            done = 0
            for block in read_blocks(read.model, read.ids, gates=True):
                yield block
                bar.update(block.read - done)
                done = block.read

        shares = gate_shares(counted(), names)
    stream = DataStream()
    if as_json:
        listed = [dataclasses.asdict(each) for each in shares]
        stream.write_json(read.facts | model_facts(read.checkpoint) | {"closed": CLOSED, "open": OPEN, "gates": listed})
        return
    stream.write_line("layer  gate    closed  open")
    for each in shares:
        stream.write_line(f"{each.layer:>5}  {each.gate:<6}  {each.closed:>6.1%}  {each.open:.1%}")
    say(f"{read.read} read; closed: below {CLOSED}, open: above {OPEN}")

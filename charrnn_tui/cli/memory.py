"""`charrnn-tui memory`: how many characters back a model remembers."""

import dataclasses
from typing import Any

import click

from charrnn_tui.analysis.memory import LAST, MemoryStudy, influences
from charrnn_tui.cli.model_text import ModelText, model_text_options, open_model_text, progress_bar
from charrnn_tui.cli.options import json_option
from charrnn_tui.cli.output import DataStream, say
from charrnn_tui.runner.facts import model_facts

BAR = 30  # columns of the largest influence


@click.command("memory")
@model_text_options()
@click.option(
    "--at",
    type=click.IntRange(min=2),
    metavar="POSITION",
    help=f"Show instead which of the {LAST} characters before this one, counted from 1 in the part, decided it.",
)
@json_option("Write one JSON object.")
def memory_command(at: int | None, as_json: bool, **given: Any) -> None:
    """Show how the loss of a model falls with the number of characters that it has seen.

    The text FILE is read again from many places, each time with an empty memory, and the loss is compared with that at
    the same places after all of the text before. --at leaves out each of the last characters in turn and shows how
    much that changes the distribution of the next one: 0 % not at all, 100 % completely (total variation).
    """
    read = open_model_text(**given)
    stream = DataStream()
    if at is not None:
        values = _influences(read, at)
        if as_json:
            stream.write_json(read.facts | model_facts(read.checkpoint) | {"at": at, "influences": values})
        else:
            for each in values:
                bar = "█" * round(each["influence"] * BAR)
                stream.write_line(f"{each['character']!r:>6}  {each['influence']:>4.0%}  {bar}".rstrip())
            say(f"before the character {at:,}, {read.text[at - 1]!r}")
        return
    study = MemoryStudy(read.model, read.ids)
    read.model.wait_for_compiled_code()
    with progress_bar(study.length, "reading") as bar:
        for characters in study.run():
            bar.update(characters)
    losses = [dataclasses.asdict(each) | {"loss": study.whole + each.difference} for each in study.losses]
    if as_json:
        stream.write_json(read.facts | model_facts(read.checkpoint) | {"loss": study.whole, "contexts": losses})
        return
    stream.write_line("characters seen  nats/char  difference")
    for each in losses:
        stream.write_line(f"{each['context']:>15,}  {each['loss']:>9.4f}  {each['difference']:+10.4f}")
    stream.write_line(f"{'all':>15}  {study.whole:>9.4f}")
    say(f"{read.read}, read from {len(study.starts):,} places")


def _influences(read: ModelText, at: int) -> list[dict[str, Any]]:
    if at > len(read.ids):
        raise click.UsageError(f"--at {at}: the part has {len(read.ids):,} characters")
    begin = max(0, at - 1 - LAST)
    state = read.model.initial_state()
    for token_id in read.ids[:begin].tolist():
        state = read.model.advance(token_id, state)
    found = influences(read.model, read.ids[begin : at - 1], state)
    return [
        {"position": begin + 1 + place, "character": read.text[begin + place], "influence": float(value)}
        for place, value in enumerate(found)
    ]

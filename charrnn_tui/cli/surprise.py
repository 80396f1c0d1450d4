"""`charrnn-tui surprise`: where a text surprises a model."""

import dataclasses
import math
from typing import Any

import click

from charrnn_tui.analysis.surprise import Group, Surprise, SurpriseReading
from charrnn_tui.cli.facts import loss_text
from charrnn_tui.cli.model_text import ModelText, model_text_options, open_model_text, progress_bar
from charrnn_tui.cli.options import json_option
from charrnn_tui.cli.output import DataStream, excerpt, say
from charrnn_tui.runner.facts import loss_facts
from charrnn_tui.text.long_text import bytes_per_char

CHARS = 50_000  # of the text; ten seconds at 2 × 512 units
BEFORE, BEHIND = 30, 15  # characters of the text around a place


@click.command("surprise")
@model_text_options(chars=CHARS)
@click.option("--worst", type=click.IntRange(min=0), default=10, show_default=True, help="Places to list.")
@json_option("Write one JSON object, with the loss of each group and the places.")
def surprise_command(worst: int, as_json: bool, **given: Any) -> None:
    """Show where the text FILE surprises a model: its worst places, and its loss by kind of character, by the position
    in a word and by the position in a line.

    The text is read in one pass, as score does. In the list of places the character in │bars│ is the one that
    surprised; behind it stands what the model expected instead.
    """
    read = open_model_text(**given)
    found = _surprise(read)
    facts = loss_facts(found.loss, bytes_per_char(read.ids[1:], read.checkpoint.vocabulary))
    groups = {"kind": found.by_kind(), "in word": found.by_word_position(), "in line": found.by_line_position()}
    places = [_place(read, found, place) for place in found.worst(worst)]
    stream = DataStream()
    if as_json:
        as_facts = {
            f"by_{name.replace(' ', '_')}": [dataclasses.asdict(group) for group in listed]
            for name, listed in groups.items()
        }
        stream.write_json(read.facts | facts | {"worst": places} | as_facts)
        return
    stream.write_line(f"loss     {loss_text(found.loss, facts['bits_per_byte'])}")
    for name, listed in groups.items():
        stream.write_line("")
        stream.write_line(f"{name:<8} {'chars':>9}  nats/char")
        for group in listed:
            stream.write_line(_row(group))
    if places:
        stream.write_line("")
    for each in places:
        stream.write_line(_line(each))
    say(f"{read.read} read in one pass")


def _surprise(read: ModelText) -> Surprise:
    read.model.wait_for_compiled_code()
    reading = SurpriseReading(read.model, read.ids, read.text)
    with progress_bar(len(read.ids) - 1, "reading") as bar:
        for characters in reading.run():
            bar.update(characters)
    return reading.found


def _place(read: ModelText, found: Surprise, place: int) -> dict[str, Any]:
    """position: in the part of the text that was read."""
    return {
        "position": place,
        "character": found.text[place],
        "loss": float(found.losses[place - 1]),
        "before": found.text[max(0, place - BEFORE) : place],
        "behind": found.text[place + 1 : place + 1 + BEHIND],
        "expected": read.checkpoint.vocabulary.tokens[found.expected[place - 1]],
        "expected_loss": float(found.expected_losses[place - 1]),
    }


def _row(group: Group) -> str:
    return f"{group.name:<8} {group.chars:>9,}  {group.loss:>9.4f}"


def _line(each: dict[str, Any]) -> str:
    before, character, behind, expected = (
        excerpt(each[name], 2 * BEFORE) for name in ("before", "character", "behind", "expected")
    )
    text = f"{before:>{BEFORE}}│{character}│{behind:<{BEHIND}}"
    return (
        f"{each['loss']:>5.2f} at {each['position']:>7,}  {text}  {expected!r} {math.exp(-each['expected_loss']):.0%}"
    )

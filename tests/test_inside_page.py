"""The figures of docs/inside.md are those of the shipped model."""

import re
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from charrnn_tui.analysis.closing import close_quotations, open_quotations
from charrnn_tui.analysis.memory import MemoryStudy
from charrnn_tui.analysis.probes import PROBES
from charrnn_tui.analysis.reading import read_blocks
from charrnn_tui.analysis.units import UnitStudy
from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.runner.find_model import locate_checkpoint, open_model
from charrnn_tui.sampling.char_model import CharModel
from charrnn_tui.sampling.pins import Pin
from charrnn_tui.sampling.sampler import Sampler
from charrnn_tui.sampling.settings import SamplingSettings

PAGE = " ".join((Path(__file__).parents[1] / "docs" / "inside.md").read_text("utf-8").split())
CLOSE = 0.02  # of areas and losses: another processor's last bits change a draw in some ten thousand


def figures(pattern: str) -> list[float]:
    match = re.search(pattern, PAGE)
    assert match is not None, f"the page does not say {pattern}"
    return [float(group) for group in match.groups()]


@pytest.fixture(scope="module")
def anna(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkpoint, CharModel]:
    opened = open_model(locate_checkpoint("anna", tmp_path_factory.mktemp("runs")))
    opened[1].wait_for_compiled_code()
    return opened


def written(anna: tuple[Checkpoint, CharModel], pin: str | None = None) -> str:
    checkpoint, model = anna
    sampler = Sampler(model, checkpoint.vocabulary, SamplingSettings(pin=pin), seed=1, prime="Anna")
    return "Anna" + "".join(each.character for each in islice(sampler, 20_000))


@pytest.fixture(scope="module")
def text(anna: tuple[Checkpoint, CharModel]) -> str:
    return written(anna)


def test_the_units_of_the_page_follow_what_it_says(anna: tuple[Checkpoint, CharModel], text: str) -> None:
    checkpoint, model = anna
    studies = {name: UnitStudy(PROBES[name](text), 2, 512) for name in ("quotes", "late-in-line")}
    for block in read_blocks(model, checkpoint.vocabulary.encode(text)):
        for study in studies.values():
            study.add(block)
    for name, pattern in (
        ("quotes", r"Unit 2\.(\d+) \(layer 2, unit \d+\) has an area of ([\d.]+) on the first half and ([\d.]+) on"),
        ("late-in-line", r"position in a line there is unit 2\.(\d+), with ([\d.]+) and ([\d.]+)\."),
    ):
        best = studies[name].ranked()[0]
        assert [best.unit, best.area, best.held_out] == pytest.approx(figures(pattern), abs=CLOSE)
    assert studies["quotes"].chance == pytest.approx(figures(r"where chance gives ([\d.]+):")[0], abs=CLOSE)


def test_a_pinned_unit_changes_how_many_quotations_are_opened(anna: tuple[Checkpoint, CharModel], text: str) -> None:
    free, outside, inside = figures(
        r"writes (\d+) quotation marks in 20,000 characters; with the unit held at 1, as outside a quotation, (\d+); "
        r"with the unit held at -1, (\d+)"
    )
    assert text.count('"') == pytest.approx(free, rel=0.2)
    assert written(anna, "2.280=1").count('"') == pytest.approx(outside, rel=0.3)
    assert written(anna, "2.280=-1").count('"') == pytest.approx(inside, rel=0.3)


def test_a_pinned_unit_leaves_quotations_open(anna: tuple[Checkpoint, CharModel], text: str) -> None:
    checkpoint, model = anna
    samples, free, inside, outside = figures(
        r"Of (\d+) quotations the model closes (\d+) % as it is and (\d+) % with the unit held at -1, as inside, but "
        r"(\d+) % with the unit held at 1, as outside;"
    )
    opened = open_quotations(model, checkpoint.vocabulary, text)
    assert len(opened) == pytest.approx(samples, rel=0.2)
    for pins, percent in (((), free), ((Pin(2, 280, -1),), inside), ((Pin(2, 280, 1),), outside)):
        share = close_quotations(model, checkpoint.vocabulary, opened, pins).share
        assert 100 * share == pytest.approx(percent, abs=12)  # three standard errors


def test_the_memory_is_as_long_as_the_page_says(anna: tuple[Checkpoint, CharModel], text: str) -> None:
    checkpoint, model = anna
    study = MemoryStudy(model, checkpoint.vocabulary.encode(text))
    assert sum(study.run()) == study.length
    whole, one, four, most = figures(
        r"has a loss of ([\d.]+) nats/char\. With one character before it loses ([\d.]+) more, with 4 still ([\d.]+), "
        r"and from 64 on less than ([\d.]+):"
    )
    by_context = {each.context: each.difference for each in study.losses}
    assert [study.whole, by_context[1], by_context[4]] == pytest.approx([whole, one, four], abs=CLOSE)
    assert np.abs([difference for context, difference in by_context.items() if context >= 64]).max() < most

"""Which units of a model follow a property of the text, for the playground: a list to choose one from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from charrnn_tui.analysis.probes import labels_of, span_of
from charrnn_tui.analysis.reading import read_blocks
from charrnn_tui.analysis.units import UnitArea, UnitStudy
from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.models import LoadedModel
from charrnn_tui.playground.studied import held_out_text
from charrnn_tui.text.vocabulary import Ids

CHARS_MOST: Final = 100_000  # of the text that are read: half of what the command `units` reads
LISTED: Final = 100
BEFORE, AFTER = 30, 12  # characters around a place


@dataclass(frozen=True)
class Peak:
    """A place where a unit's activation is among its highest, with the text around it; `before` ends with it."""

    activation: float
    before: str
    after: str


@dataclass(frozen=True)
class RankedUnit:
    """A unit, and the places where it is highest, the highest first."""

    area: UnitArea
    peaks: tuple[Peak, ...]


@dataclass(frozen=True)
class UnitRanking:
    """The units that follow a probe best. source: which text was read. share: of its characters, those in the property.

    chance: the best area that the same labels have at wrong places. missing: why it was not the training text; or "".
    """

    probe: str
    source: str
    missing: str
    share: float
    chance: float
    units: tuple[RankedUnit, ...]


class UnitRanker:
    """For one model. Rankings on its training text are kept."""

    def __init__(self, model: LoadedModel, backend: Backend) -> None:
        self.model, self._backend = model, backend
        self._kept: dict[str, UnitRanking] = {}

    def rank(self, probe: str, written: str, report: Callable[[str], None]) -> UnitRanking:
        """Rank on what was held out of the training text or, where that is not found, on a text that was written here;
        for a span on that text, of which it is one.

        Blocks while it reads: some 15 s for 100,000 characters at 2×512 units. Raises ValueError, one line, where the
        text has too little with or without the property, and as `labels_of` does.
        """
        if probe in self._kept:
            return self._kept[probe]
        report("looking for the training text")
        missing, known = "", self.model.vocabulary.known_part
        span = span_of(probe)
        if span is not None:
            text, source = written, f"{len(written):,} characters written here"
            start, end = (len(known(text[:place])) for place in span)
            label = f"{start + 1}-{end}"
        else:
            label = probe
            try:
                text, source = held_out_text(self.model, self._backend, CHARS_MOST)
            except ValueError as error:
                missing, text, source = str(error), written, f"{len(written):,} characters written here"
        text = known(text)
        study = self._study(label, text, self.model.vocabulary.encode(text), report)
        try:
            units, chance = study.ranked()[:LISTED], study.chance
        except ValueError as error:
            raise ValueError(f"{probe}: {error}: {source}" + (f"; {missing}" if missing else "")) from None
        ranked = tuple(RankedUnit(area, _peaks(study, area, text)) for area in units)
        ranking = UnitRanking(probe, source, missing, study.share, chance, ranked)
        if not missing and span is None:
            self._kept[probe] = ranking
        return ranking

    def _study(self, probe: str, text: str, ids: Ids, report: Callable[[str], None]) -> UnitStudy:
        network = self.model.network
        halves = span_of(probe) is None
        study = UnitStudy(labels_of(probe, text), network.n_layers, network.n_hidden, halves=halves)
        for block in read_blocks(network, ids):
            report(f"reading: {block.read:,} of {len(ids):,} characters")
            study.add(block)
        return study


def _peaks(study: UnitStudy, area: UnitArea, text: str) -> tuple[Peak, ...]:
    return tuple(
        Peak(value, text[max(0, place + 1 - BEFORE) : place + 1], text[place + 1 : place + 1 + AFTER])
        for place, value in study.highest(area)
    )

"""The losses of n-gram models of a run's training text on its validation part, stored in the run's directory."""

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Final

import msgspec
from msgspec import Meta, structs

from charrnn_tui.analysis.ngrams import LONGEST, ngram_losses
from charrnn_tui.playground.backend import Backend
from charrnn_tui.playground.run_text import read_run_text
from charrnn_tui.run.decoding import DecodingError, decode
from charrnn_tui.run.directory import RunDirectory
from charrnn_tui.run.files import write_atomically

Loss = Annotated[float, Meta(ge=0, le=1000)]  # nats/char
NO_BETTER: Final = 2  # so many orders in a row without a lower loss, and longer ones are not counted


class NgramBaseline(msgspec.Struct, frozen=True):
    """losses: of the orders 1, 2, …, nats/char, the validation part read in one pass.

    complete: whether longer orders were left out because they are no better, or longer than the text.
    corpus_sha256: of the run's text.
    """

    corpus_sha256: str
    losses: Annotated[list[Loss], Meta(max_length=LONGEST)]
    complete: bool

    @property
    def best(self) -> int:
        """The order with the least loss; 0 where there is none."""
        return self.losses.index(min(self.losses)) + 1 if self.losses else 0

    @property
    def by_name(self) -> dict[str, float]:
        """Such as `5-gram`: 1.41; of the orders up to the best."""
        return {f"{n}-gram": loss for n, loss in enumerate(self.losses[: self.best], 1)}


NONE: Final = NgramBaseline("", [], complete=False)


def read_baseline(run: RunDirectory) -> NgramBaseline:
    """What was stored; NONE where there is nothing, or it is damaged or of another text."""
    try:
        found = decode(run.ngrams_file.read_bytes(), NgramBaseline)
    except (OSError, DecodingError):
        return NONE
    return found if found.corpus_sha256 == run.read_settings().get("corpus_sha256") else NONE


def count_baseline(run: RunDirectory, backend: Backend, report: Callable[[str], None]) -> NgramBaseline:
    """Count the orders one after the other, until NO_BETTER in a row are not better; each is stored when it is there.

    Blocks for half a second an order and a million characters. report: called with what is being done; may raise, which
    ends the counting. Raises ValueError, one line.
    """
    report("reading the text")
    text = read_run_text(run, backend)
    baseline = NgramBaseline(run.read_settings().get("corpus_sha256", ""), [], complete=False)
    for each in ngram_losses(text.train, text.held_out, len(text.vocabulary)):
        baseline = structs.replace(baseline, losses=[*baseline.losses, each.loss])
        if each.n - baseline.best == NO_BETTER:
            break
        _store(run, baseline)
        report(f"counting: {each.n + 1}-grams")
    baseline = structs.replace(baseline, complete=True)
    _store(run, baseline)
    return baseline


def _store(run: RunDirectory, baseline: NgramBaseline) -> None:
    with suppress(OSError):  # a run of another user, or a full disk: it is counted again the next time
        write_atomically(run.ngrams_file, msgspec.json.encode(baseline))

"""Does a model close the quotations that it is in, and does it still with a unit held at a value?

That a unit follows quotations does not say that the model uses it. So the model continues texts that end with the mark
that opens a quotation, as it is and with the unit held, and those are counted that reach the mark that closes it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.analysis.probes import quotations
from charrnn_tui.sampling.char_model import CharModel, HiddenState
from charrnn_tui.sampling.pins import Pin
from charrnn_tui.text.vocabulary import Ids, Vocabulary

BEFORE = 200  # characters of the text that the model reads, up to the opening mark
MOST = 300  # characters that it writes
SAMPLES = 100
TEMPERATURE = 0.8


@dataclass(frozen=True, eq=False)
class OpenQuotations:
    """Quotations that a model has just opened. ids: of the opening marks, (B,), not read yet; closing: of the others.

    state: of the network in front of the opening mark, for B texts.
    """

    ids: Ids
    closing: NDArray[np.int64]
    state: HiddenState

    def __len__(self) -> int:
        return len(self.closing)


@dataclass(frozen=True)
class Closing:
    """How many of `samples` quotations were closed before an empty line, within MOST characters.

    median_chars: from the opening to the closing mark, of those that were; None if none was.
    """

    samples: int
    closed: int
    median_chars: float | None

    @property
    def share(self) -> float:
        return self.closed / self.samples

    @property
    def standard_error(self) -> float:
        """Of the share: of independent samples."""
        return float(np.sqrt(self.share * (1 - self.share) / self.samples))


def open_quotations(
    model: CharModel, vocabulary: Vocabulary, text: str, most: int = SAMPLES, check: Callable[[], None] = lambda: None
) -> OpenQuotations:
    """Read up to so many openings of a text, spread over it, each with BEFORE characters. Raises ValueError for none.

    check: called with each character, to give up the work.
    """
    found = [(start, closing) for start, closing in quotations(text) if start >= BEFORE and closing in vocabulary.index]
    if not found:
        raise ValueError(f"the text has no quotation behind its first {BEFORE} characters")
    places = np.unique(np.linspace(0, len(found) - 1, min(most, len(found))).astype(int))
    chosen = [found[place] for place in places]
    ids = np.stack([vocabulary.encode(text[start - BEFORE : start + 1]) for start, _ in chosen])  # (B, BEFORE + 1)
    state = model.initial_state(len(chosen))
    for column in ids.T[:-1]:
        check()
        state = model.advance(column, state)
    return OpenQuotations(ids[:, -1], np.array([vocabulary.index[closing] for _, closing in chosen]), state)


def close_quotations(
    model: CharModel,
    vocabulary: Vocabulary,
    opened: OpenQuotations,
    pins: Sequence[Pin] = (),
    *,
    seed: int = 0,
    check: Callable[[], None] = lambda: None,
) -> Closing:
    """Let the model continue each of them at TEMPERATURE, with these pins from the opening mark on.

    The same seed draws with the same random numbers, whatever the pins are. check: called with each character, MOST
    times at most, to give up the work.
    """
    random = np.random.default_rng(seed)
    line_feed = np.array([token == "\n" for token in vocabulary.tokens])
    blank = np.array([token.isspace() for token in vocabulary.tokens])
    count, state, ids = len(opened), opened.state, np.asarray(opened.ids)
    open_ = np.arange(count)  # the numbers of those that are not closed yet; ids and state are of these
    empty_line = np.zeros(count, np.bool_)  # whether there are only blanks since a line feed
    lengths = list[int]()
    for written in range(1, MOST + 1):
        check()
        logits, state = model.step(ids, state, pins)
        noise = random.gumbel(size=(count, len(vocabulary)))[open_]
        ids = (logits / TEMPERATURE + noise).argmax(-1)  # draws from the softmax (Gumbel 1954)
        closed = ids == opened.closing[open_]
        lengths += [written] * int(closed.sum())
        left = ~closed & ~(line_feed[ids] & empty_line)
        empty_line = (line_feed[ids] | (blank[ids] & empty_line))[left]
        open_, ids, state = open_[left], ids[left], HiddenState(state.h[:, left], state.c[:, left])
        if not len(open_):
            break
    return Closing(count, len(lengths), float(np.median(lengths)) if lengths else None)

"""Kneser–Ney models beside their definition, counted with dictionaries."""

import math
import tracemalloc
from collections import Counter, defaultdict

import numpy as np
import pytest

from charrnn_tui.analysis.ngrams import BYTES_A_CHARACTER, ngram_losses
from charrnn_tui.text.batches import TextTooShort

TOKENS = 4


def a_text(length: int, seed: int) -> np.ndarray:
    """With enough n-grams that occur once to four times for all discounts."""
    random = np.random.default_rng(seed)
    return random.choice(TOKENS, size=length, p=[0.5, 0.3, 0.15, 0.05]).astype(np.uint8)


class Reference:
    """p_n(w | u) by the formula, of all orders up to n."""

    def __init__(self, train: tuple[int, ...], n: int) -> None:
        self.n = n
        self.a: dict[int, Counter[tuple[int, ...]]] = {}
        for order in range(1, n + 1):
            grams = [train[i : i + order] for i in range(len(train) - order + 1)]
            if order < n:
                before = {(train[i - 1], *train[i : i + order]) for i in range(1, len(train) - order + 1)}
                self.a[order] = Counter(gram[1:] for gram in before)
                self.a[order][train[:order]] += 1  # nothing comes before the beginning
            else:
                self.a[order] = Counter(grams)
        self.by_context: dict[int, dict[tuple[int, ...], list[int]]] = {}
        for order, counts in self.a.items():
            self.by_context[order] = defaultdict(list)
            for gram, a in counts.items():
                self.by_context[order][gram[:-1]].append(a)

    def discount(self, order: int, a: int) -> float:
        n1, n2, n3, n4 = (sum(1 for each in self.a[order].values() if each == k) for k in (1, 2, 3, 4))
        if not (n1 and n2 and n3 and n4):
            return [0, 0.5, 0.75, 1.0][min(a, 3)]
        y = n1 / (n1 + 2 * n2)
        found = [0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3][min(a, 3)]
        return max(0.01, min(min(a, 3) - 0.01, found)) if a else 0

    def p(self, order: int, w: int, u: tuple[int, ...]) -> float:
        if order == 0:
            return 1 / TOKENS
        if len(u) < order - 1:
            return self.p(order - 1, w, u)
        u = u[len(u) - order + 1 :]
        lower = self.p(order - 1, w, u[1:])
        siblings = self.by_context[order].get(u)
        if siblings is None:
            return lower
        total, a = sum(siblings), self.a[order][(*u, w)]
        reserved = sum(self.discount(order, each) for each in siblings)
        return max(a - self.discount(order, a), 0) / total + reserved / total * lower


@pytest.mark.parametrize("length", [12, 400])
def test_the_losses_are_those_of_the_definition(length: int) -> None:
    train, held_out = a_text(length, 0), a_text(60, 1)
    losses = list(ngram_losses(train, held_out, TOKENS, 5))
    assert [each.n for each in losses] == [1, 2, 3, 4, 5]
    for each in losses:
        reference, read = Reference(tuple(train.tolist()), each.n), tuple(held_out.tolist())
        surprises = [-math.log(reference.p(each.n, read[i], read[:i])) for i in range(1, len(read))]
        assert each.loss == pytest.approx(np.mean(surprises), rel=1e-9)


def test_the_reference_s_probabilities_add_up_to_one() -> None:
    train = tuple(a_text(400, 0).tolist())
    for n in (1, 2, 4):
        reference = Reference(train, n)
        for u in ((0, 1, 2), (3, 3, 3), (0, 0, 0)):
            assert sum(reference.p(n, w, u) for w in range(TOKENS)) == pytest.approx(1)


def test_a_repeating_text_is_learned_by_the_order_that_tells_its_period() -> None:
    text = np.tile(np.array([0, 1, 0, 2], np.uint8), 200)
    losses = [each.loss for each in ngram_losses(text, text[:100], 3, 4)]
    assert losses[0] > 0.9
    assert losses[1] > 0.3  # what follows a 0 is not known
    assert losses[2] < 0.05


def test_too_short_a_text_is_refused() -> None:
    text = a_text(5, 0)
    for train, held_out in ((text[:1], text), (text, text[:1])):
        with pytest.raises(TextTooShort):
            list(ngram_losses(train, held_out, TOKENS))
    assert [each.n for each in ngram_losses(text[:2], text, TOKENS)] == [1, 2]


def test_an_alphabet_that_takes_two_bytes_is_counted_as_any_other() -> None:
    train, held_out = a_text(400, 0), a_text(60, 1)
    wide = [ids.astype(np.uint16) * 300 for ids in (train, held_out)]
    for found, narrow in zip(ngram_losses(*wide, 1000, 4), ngram_losses(train, held_out, TOKENS, 4), strict=True):
        assert narrow.loss <= found.loss < narrow.loss + 0.1  # the least order knows of 1,000 characters


def test_it_takes_no_more_memory_than_it_says() -> None:
    random = np.random.default_rng(0)
    text = random.integers(0, 80, 200_000).astype(np.uint8)  # hardly any n-gram of 5 occurs twice
    tracemalloc.start()
    try:
        list(ngram_losses(text[:180_000], text[180_000:], 80, 6))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 40 * len(text) < most <= BYTES_A_CHARACTER * len(text)

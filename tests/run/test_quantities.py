"""Numbers as people read them."""

import math

import pytest

from charrnn_tui.run.quantities import bits, count, duration, seconds_of, size


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0.0 s"),
        (-1, "0.0 s"),
        (4.24, "4.2 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (41.4, "41 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (720, "12 min"),
        (3569, "59 min"),
        (3571, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (47.9 * 3600, "47 h 54 min"),
        (48 * 3600, "2 d 00 h"),
        (76 * 3600, "3 d 04 h"),
        (math.inf, "–"),
        (math.nan, "–"),
    ],
)
def test_durations_are_told_in_the_two_units_that_matter(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (950, "950"),
        (999, "999"),
        (999.6, "1k"),
        (1_000, "1k"),
        (9_996, "10k"),
        (12_000, "12k"),
        (12_400, "12.4k"),
        (99_960, "100k"),
        (100_000, "100k"),
        (330_000, "330k"),
        (999_400, "999k"),
        (999_600, "1M"),
        (3_340_000, "3.34M"),
        (500_000_000, "500M"),
        (2.1e9, "2.1G"),
        (-12_400, "-12.4k"),
    ],
)
def test_counts_are_told_in_three_figures(number: float, shown: str) -> None:
    assert count(number) == shown


@pytest.mark.parametrize(
    ("count_of_bytes", "shown"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (999.6, "1 kB"),
        (100_000, "100 kB"),
        (13_400_000, "13.4 MB"),
        (999_900_000, "1 GB"),
        (150e9, "150 GB"),
        (2.5e12, "2.5 TB"),
    ],
)
def test_sizes_are_told_in_powers_of_a_thousand(count_of_bytes: float, shown: str) -> None:
    assert size(count_of_bytes) == shown


def test_a_uniform_choice_of_two_is_one_bit() -> None:
    assert bits(math.log(2)) == 1.0


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("1h 30m", 5400), ("1.5h", 5400), ("2d", 172_800)]
)
def test_times_are_read_with_their_units(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "10 minutes", "-1m", "1h30", "1e3s", "nan"])
def test_a_time_without_its_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time such as 90s, 10m, 1h30m or 2h"):
        seconds_of(text)

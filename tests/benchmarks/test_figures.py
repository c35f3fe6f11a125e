"""The arithmetic behind the benchmark's tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Summary, show_number, show_ratio, show_summary, snr, summarise, table

FINITE = st.floats(min_value=1e-3, max_value=1e6)


def test_a_summary_is_median_and_range() -> None:
    assert summarise([5.0, 1.0, 2.0]) == Summary(median=2.0, smallest=1.0, largest=5.0)
    assert summarise([1.0, 2.0]).median == 1.5


@given(st.lists(FINITE, min_size=1))
def test_a_median_lies_within_the_range(values: list[float]) -> None:
    summary = summarise(values)
    assert min(values) == summary.smallest <= summary.median <= summary.largest == max(values)


def test_nothing_cannot_be_summarised() -> None:
    with pytest.raises(ValueError, match="no measurement"):
        summarise([])


def test_a_summary_in_another_unit() -> None:
    bytes_ = Summary(median=2e6, smallest=1e6, largest=3e6)
    assert bytes_.scaled(1e-6) == Summary(median=2.0, smallest=1.0, largest=3.0)


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0.00"), (2.314, "2.31"), (23.14, "23.1"), (231.4, "231"), (4236.0, "4236")]
)
def test_numbers_have_three_digits(value: float, shown: str) -> None:
    assert show_number(value) == shown


def test_a_summary_shows_its_range_only_if_there_is_one() -> None:
    assert show_summary(Summary(median=2.0, smallest=2.0, largest=2.0)) == "2.00"
    assert show_summary(Summary(median=2.0, smallest=1.5, largest=30.0)) == "2.00 (1.50–30.0)"  # noqa: RUF001


def test_a_ratio_says_how_many_times_ours_the_other_is() -> None:
    ours, other = summarise([2.0]), summarise([9.0])
    assert show_ratio(other, ours) == "4.50 ×"  # noqa: RUF001
    assert show_ratio(other, summarise([0.0])) == "–"  # noqa: RUF001


def test_snr_of_a_known_error() -> None:
    reference = np.ones((1000, 2), np.float32)
    assert snr(reference, reference * np.float32(1.001)) == pytest.approx(60, abs=0.01)


@given(st.floats(min_value=-90, max_value=20))
def test_snr_finds_the_level_of_added_noise(level: float) -> None:
    random = np.random.default_rng(0)
    signal, noise = random.standard_normal((2, 4000, 2))
    noise *= np.sqrt(np.sum(signal**2) / np.sum(noise**2)) * 10 ** (level / 20)
    measured = snr(signal.astype(np.float32), (signal + noise).astype(np.float32))
    assert measured == pytest.approx(-level, abs=0.05)


def test_snr_at_the_ends() -> None:
    some, none = np.ones((4, 2), np.float32), np.zeros((4, 2), np.float32)
    assert snr(some, some) == math.inf
    assert snr(none, some) == -math.inf
    assert snr(some, none) == 0


def test_snr_refuses_what_cannot_be_compared() -> None:
    # numpy would spread one row over all.
    with pytest.raises(ValueError, match="compared"):
        snr(np.ones((4, 2), np.float32), np.ones((1, 2), np.float32))


def test_a_table_is_aligned_markdown() -> None:
    assert table(["a", "long heading"], [["1234", "x"], ["", "y"]]).splitlines() == [
        "| a    | long heading |",
        "| ---- | ------------ |",
        "| 1234 | x            |",
        "|      | y            |",
    ]


def test_a_table_refuses_a_row_of_another_length() -> None:
    with pytest.raises(ValueError, match="argument"):
        table(["a", "b"], [["1"]])

"""How many segments are processed at the same time."""

from __future__ import annotations

import pytest

from stemdock.inference.scheduling import segments_at_once


@pytest.mark.parametrize(
    ("n_cores", "expected"), [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (8, 4), (16, 8), (96, 48)]
)
def test_two_cores_have_a_segment(n_cores: int, expected: int) -> None:
    assert segments_at_once(n_cores, lambda: 10**12) == expected


@pytest.mark.parametrize(("spare", "expected"), [(0, 1), (10**9, 2), (4 * 10**9, 6), (10**10, 8)])
def test_a_quarter_of_the_memory_is_used(spare: int, expected: int) -> None:
    assert segments_at_once(16, lambda: spare) == expected

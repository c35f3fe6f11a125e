"""Segments of the mixture, against the definition of the grid: padded with one frame, cut at each stride."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemdock.dsp.segments import cut_segments, join_segments
from support.small_model import small_card

CARD = small_card(stems=("a", "b", "c"), n_frames=64, n_bins=64, frame_length=128, hop_length=32)
LEAD = 128
STRIDE = 2048
LENGTH = 2144
"""Samples of a segment: 63 hops between 64 frames, and a frame."""


def expected_segments(mixture: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """Samples and new length of every segment of `(n_samples, n_channels)`."""
    total = LEAD + len(mixture)
    padded = np.zeros((2, total + LENGTH), np.float32)
    padded[:, LEAD:total] = mixture.T
    return [
        (padded[:, start : start + LENGTH], min(STRIDE, total - start)) for start in range(0, total, STRIDE)
    ]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape) + sum(shape)).uniform(-1, 1, shape).astype(np.float32)


def blocks_of(mixture: np.ndarray, cuts: list[int]) -> list[np.ndarray]:
    edges = [0, *sorted(min(cut, len(mixture)) for cut in cuts), len(mixture)]
    return [mixture[first:last] for first, last in pairwise(edges)]


EDGES = [0, 1, *(number * STRIDE - LEAD + shift for number in (1, 2) for shift in (-1, 0, 1))]
lengths = st.integers(0, 9000) | st.sampled_from(EDGES)
cuts = st.lists(st.integers(0, 9000), max_size=6)


@given(length=lengths, cuts=cuts)
def test_segments_lie_on_the_grid(length: int, cuts: list[int]) -> None:
    mixture = noise(length, 2)
    segments = list(cut_segments(blocks_of(mixture, cuts), CARD))
    expected = expected_segments(mixture)
    assert len(segments) == len(expected)
    for segment, (samples, new_length) in zip(segments, expected, strict=True):
        np.testing.assert_array_equal(segment.samples, samples)
        assert segment.new_length == new_length


@given(length=lengths)
def test_stems_are_the_sum_of_overlapping_segments(length: int) -> None:
    new_lengths = [new_length for _, new_length in expected_segments(noise(length, 2))]
    stems = noise(len(new_lengths), 3, 2, LENGTH)
    padded = np.zeros((3, 2, LEAD + length + LENGTH), np.float32)
    for number, segment in enumerate(stems):
        padded[..., number * STRIDE : number * STRIDE + LENGTH] += segment
    joined = list(join_segments(zip(new_lengths, stems.copy(), strict=True), CARD))
    assert all(block.flags.c_contiguous and block.shape[1] for block in joined)
    result = np.concatenate([np.zeros((3, 0, 2), np.float32), *joined], axis=1)
    np.testing.assert_array_equal(result, padded[..., LEAD : LEAD + length].transpose(0, 2, 1))


@pytest.mark.parametrize("length", EDGES)
def test_no_sample_at_the_edge_of_a_segment_is_lost_or_added(length: int) -> None:
    segments = list(cut_segments([noise(length, 2)], CARD))
    assert sum(segment.new_length for segment in segments) == LEAD + length
    assert all(segment.new_length for segment in segments)
    stems = [np.ones((3, 2, LENGTH), np.float32) for _ in segments]
    joined = join_segments(zip([s.new_length for s in segments], stems, strict=True), CARD)
    assert sum(block.shape[1] for block in joined) == length


def test_a_segment_stays_as_it_is_when_the_next_is_cut() -> None:
    segments = cut_segments([noise(5000, 2)], CARD)
    first = next(segments)
    before = first.samples.copy()
    list(segments)
    np.testing.assert_array_equal(first.samples, before)

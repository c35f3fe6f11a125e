"""Pictures that grow, against what is drawn at once and against tones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stemdock import GrowingPicture

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 8000


def drawn(samples: NDArray[np.float32], *cuts: int) -> NDArray[np.uint8]:
    picture = GrowingPicture(RATE)
    parts = [picture.add(part) for part in np.split(samples, sorted(cuts))]
    return np.concatenate([*parts, picture.finish()])


@settings(max_examples=30)
@given(st.lists(st.integers(0, 9000), max_size=5), st.integers(1, 9000))
def test_columns_do_not_depend_on_the_blocks(cuts: list[int], length: int) -> None:
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (length, 2)).astype(np.float32)
    columns = drawn(samples, *(min(cut, length) for cut in cuts))
    assert np.array_equal(columns, drawn(samples))
    assert len(columns) == -(-length // GrowingPicture(RATE).column_length)


@pytest.mark.parametrize(("frequency", "amplitude"), [(200, 1.0), (1000, 0.1), (3000, 0.01)])
def test_a_tone_is_where_and_as_loud_as_it_is(frequency: int, amplitude: float) -> None:
    time = np.arange(2 * RATE) / RATE
    tone = (amplitude * np.sin(2 * np.pi * frequency * time))[:, None].astype(np.float32)
    column = drawn(tone)[10]
    assert column[:2] == pytest.approx([255 * amplitude] * 2, abs=1)
    edges = np.array(GrowingPicture(RATE).edges)
    band = int(column[2:].argmax())
    assert edges[band - 1] < frequency < edges[band + 2]
    # The power in the bins of a tone under a Hann window is 1.5 times that in the largest.
    n_bins = max(1.0, (edges[band + 1] - edges[band]) * 2 * GrowingPicture(RATE).column_length / RATE)
    expected = 20 * np.log10(amplitude) + 10 * np.log10(min(1, 1.5 / n_bins))
    assert column[2 + band] / 2 - 100 == pytest.approx(expected, abs=3)


def test_silence_is_black_and_nothing_is_nothing() -> None:
    assert not drawn(np.zeros((RATE, 2), np.float32)).any()
    assert len(GrowingPicture(RATE).finish()) == 0


def test_the_first_click_is_in_the_first_column() -> None:
    clicks = np.zeros((RATE, 1), np.float32)
    clicks[0] = 0.5
    clicks[5 * GrowingPicture(RATE).column_length] = -0.5
    columns = drawn(clicks)
    assert [tuple(column[:2]) for column in columns[[0, 1, 4, 5]]] == [(128, 0), (0, 0), (0, 0), (0, 128)]

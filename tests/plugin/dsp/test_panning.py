from __future__ import annotations

import numpy as np
import pytest

from stemdock.dsp.panning import panned


@pytest.mark.parametrize(
    ("pan", "matrix"),
    [  # left and right of a left sample, then of a right one; from the algorithm of the Web Audio API
        (0, [[1, 0], [0, 1]]),
        (-1, [[1, 0], [1, 0]]),
        (1, [[0, 1], [0, 1]]),
        (-0.5, [[1, 0], [np.sqrt(0.5), np.sqrt(0.5)]]),
        (0.5, [[np.sqrt(0.5), np.sqrt(0.5)], [0, 1]]),
        (0.2, [[np.cos(0.1 * np.pi), np.sin(0.1 * np.pi)], [0, 1]]),
    ],
)
@pytest.mark.parametrize("gain_db", [0, -20, 6])
def test_the_law_of_panning(pan: float, matrix: list[list[float]], gain_db: float) -> None:
    samples = np.random.default_rng(1).uniform(-1, 1, (500, 2)).astype(np.float32)
    before = samples.copy()
    expected = before.astype(float) @ np.array(matrix) * 10 ** (gain_db / 20)
    made = panned(samples, gain_db, pan)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, expected, atol=1e-6)
    np.testing.assert_array_equal(samples, before)


def test_a_gain_of_a_single_channel() -> None:
    np.testing.assert_allclose(panned(np.ones((3, 1), np.float32), -6, 0), 10 ** (-6 / 20), rtol=1e-6)

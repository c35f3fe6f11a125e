from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stemdock.dsp.masks import apply_mask, ratio_masks

estimates = hnp.arrays(np.float32, (3, 4, 8, 2), elements=st.floats(0, 1000, width=32))


@given(estimates)
def test_masks_share_every_bin_completely(values: np.ndarray) -> None:
    masks = np.stack(ratio_masks(list(values), 2))
    assert np.all(masks >= 0)
    np.testing.assert_allclose(masks.sum(axis=0), 1, atol=1e-5)


def test_masks_follow_the_formula() -> None:
    first, second = np.float32(3).reshape(1, 1, 1), np.float32(4).reshape(1, 1, 1)
    masks = ratio_masks([first, second], 2)
    assert masks[0].item() == pytest.approx(9 / 25)
    assert ratio_masks([first, second], 1)[1].item() == pytest.approx(4 / 7)


def test_silence_is_shared_evenly() -> None:
    masks = ratio_masks([np.zeros((1, 1, 1), np.float32)] * 5, 2)
    assert [mask.item() for mask in masks] == pytest.approx([0.2] * 5)


def test_estimates_are_left_alone() -> None:
    estimate = np.full((1, 1, 1), 3, np.float32)
    ratio_masks([estimate, estimate], 2)
    assert estimate.item() == 3


def test_bins_above_the_network_are_left_out_or_get_the_mean_of_those_below() -> None:
    mask = np.arange(8, dtype=np.float32).reshape(1, 4, 2)  # one frame, four bins, two channels
    spectrum = np.full((2, 1, 6), 1 + 1j, np.complex64)
    average = apply_mask(mask, spectrum)
    zeros = apply_mask(mask, spectrum[..., :4])
    assert average[0, 0].tolist() == [x * (1 + 1j) for x in (0, 2, 4, 6, 3, 3)]
    assert zeros[1, 0].tolist() == [x * (1 + 1j) for x in (1, 3, 5, 7)]

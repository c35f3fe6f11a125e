"""Computes ratio masks from the networks' estimates, and applies them to the mixture's spectrum.

Conventions:
    Estimates and masks have the network's layout, `(n_frames, n_bins, n_channels)` float32 for
    each stem; spectra are planar as in `stemdock.dsp.stft`. Each channel has its own mask.

References:
    Spleeter 2.4.2, `model/__init__.py`: M_j = (S_j^e + eps/n) / (sum S^e + eps), eps = 1e-10,
    so the masks sum to one and share silence evenly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock.types import ComplexArray, FloatArray

EPSILON: Final = 1e-10


def ratio_masks(estimates: Sequence[FloatArray], exponent: float) -> list[FloatArray]:
    """Computes soft masks that divide every bin among the stems.

    Args:
        estimates: One magnitude estimate for each stem, all of one shape, >= 0.
        exponent: Power of the magnitudes; Spleeter's models use 2.

    Returns:
        One mask for each stem, of the same shape, in [0, 1]; they sum to one.
    """
    masks: list[FloatArray] = [estimate**exponent for estimate in estimates]
    total = masks[0] + np.float32(EPSILON)
    for mask in masks[1:]:
        total += mask
    for mask in masks:
        np.add(mask, np.float32(EPSILON / len(masks)), out=mask)
        np.divide(mask, total, out=mask)
    return masks


def apply_mask(mask: FloatArray, spectrum: ComplexArray) -> ComplexArray:
    """Computes the spectrum of one stem.

    Args:
        mask: `(n_frames, n_bins, n_channels)`.
        spectrum: Of the mixture, `(n_channels, n_frames, n_bins)` or with more bins. Bins above the mask
            are multiplied with the mean of the mask, frame by frame: Spleeter's mask extension "average".
            For its "zeros", give a spectrum without more bins.

    Returns:
        A new array with the shape of `spectrum`.
    """
    n_bins = mask.shape[1]
    planar = mask.transpose(2, 0, 1)
    stem = np.empty_like(spectrum)
    np.multiply(spectrum[..., :n_bins], planar, out=stem[..., :n_bins])
    if spectrum.shape[-1] > n_bins:
        mean = planar.mean(axis=-1, keepdims=True)
        np.multiply(spectrum[..., n_bins:], mean, out=stem[..., n_bins:])
    return stem

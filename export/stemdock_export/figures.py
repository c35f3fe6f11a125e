"""Measures how much two computations of the same estimates differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from stemdock import FloatArray


Quantity = Literal["estimate", "masked", "batch"]
"""What is compared: the network's estimates; the magnitudes after ratio masks; or the estimates of a batch
of segments with those of one segment at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StemFigures:
    """Difference of one stem from its reference, for one signal."""

    signal: str
    """Name of the mixture."""
    quantity: Quantity
    stem: str
    snr: float
    """Energy of the reference over that of the difference, dB; infinite if they are identical."""
    max_error: float
    """Largest absolute difference, relative to the reference's peak."""


def compare(reference: FloatArray, result: FloatArray) -> tuple[float, float]:
    """SNR in dB and largest error relative to the peak; a NaN or an infinity counts as infinite error."""
    exact = reference.astype(np.float64)
    difference = np.abs(result - exact)
    noise, energy = float(np.sum(difference**2)), float(np.sum(exact**2))
    if noise == 0:
        return math.inf, 0.0
    if not math.isfinite(noise) or energy == 0:
        return -math.inf, math.inf
    return 10 * math.log10(energy / noise), float(np.max(difference) / np.max(np.abs(exact)))

"""How far two computations of the same estimates differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from stemdock import FloatArray


Quantity = Literal["estimate", "masked", "batch"]
"""What is compared: the network's estimates; the magnitudes that ratio masks make of all estimates; or
the estimates of segments in one batch with those of one at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StemFigures:
    """One stem's estimate against its reference, on one signal."""

    signal: str
    """What was separated."""
    quantity: Quantity
    stem: str
    snr: float
    """Energy of the reference over that of the difference, dB; infinite if there is no difference."""
    max_error: float
    """Largest absolute difference, relative to the reference's peak."""


def compare(reference: FloatArray, result: FloatArray) -> tuple[float, float]:
    """SNR in dB and largest error relative to the peak; a NaN or an infinity counts as endless error."""
    exact = reference.astype(np.float64)
    difference = np.abs(result - exact)
    noise, energy = float(np.sum(difference**2)), float(np.sum(exact**2))
    if noise == 0:
        return math.inf, 0.0
    if not math.isfinite(noise) or energy == 0:
        return -math.inf, math.inf
    return 10 * math.log10(energy / noise), float(np.max(difference) / np.max(np.abs(exact)))

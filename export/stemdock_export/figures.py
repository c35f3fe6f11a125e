"""How far two computations of the same estimates differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stemdock.types import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class StemFigures:
    """One stem's estimate against its reference, on one signal."""

    signal: str
    """What was separated."""
    stem: str
    snr: float
    """Energy of the reference over that of the difference, dB; infinite if there is no difference."""
    max_error: float
    """Largest absolute difference, relative to the reference's peak."""


def compare(signal: str, stem: str, reference: FloatArray, estimate: FloatArray) -> StemFigures:
    """Figures of one estimate; a NaN or an infinity in it counts as endless error."""
    exact = reference.astype(np.float64)
    difference = np.abs(estimate - exact)
    noise, peak = float(np.sum(difference**2)), float(np.max(np.abs(exact)))
    if noise == 0:
        return StemFigures(signal=signal, stem=stem, snr=math.inf, max_error=0.0)
    energy = float(np.sum(exact**2))
    if not math.isfinite(noise) or energy == 0:
        return StemFigures(signal=signal, stem=stem, snr=-math.inf, max_error=math.inf)
    return StemFigures(
        signal=signal,
        stem=stem,
        snr=10 * math.log10(energy / noise),
        max_error=float(np.max(difference)) / peak,
    )

"""Levels of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stemdock.types import FloatArray


def peak_of(samples: FloatArray) -> float:
    """Largest absolute sample of an array of any shape; 0 if it is empty, NaN if a sample is NaN."""
    # The minimum and the maximum are faster than an array of magnitudes. NaN makes both NaN.
    return max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0)))

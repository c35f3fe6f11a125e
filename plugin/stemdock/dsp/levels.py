"""How loud samples are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stemdock.types import FloatArray


def peak_of(samples: FloatArray) -> float:
    """Largest absolute sample of an array of any shape, 0 if it is empty; NaN if one is NaN."""
    # Both ends, since an array of magnitudes would take longer to make. NaN makes both NaN.
    return max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0)))

"""A second, independent look at a file, for what libsndfile does not notice: a wrong length, an early end.

Each format has a function that reads the structure of a file without decoding it. `inspecting` chooses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stemdock.types import Damage


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What the structure of a file says."""

    intact: bool
    """Whether the structure has no break from the first to the last byte, so that libsndfile can read it."""
    total_length: int | None = None
    """Samples per channel at `sample_rate`; None if the structure does not say."""
    sample_rate: int = 0
    """Hz; 0 if unknown."""
    damage: tuple[Damage, ...] = ()
    """Damaged places that the structure shows."""
    has_times: bool = False
    """Whether frames fill the file without a gap, so that counting them gives their times."""

    def agrees(self, total_length: int, sample_rate: int) -> bool:
        """Whether another reader's length is the same."""
        if self.total_length is None or not self.sample_rate:
            return True
        # A difference of one sample is rounding between two rates.
        tolerance = 0 if sample_rate == self.sample_rate else 1
        return abs(total_length - self.total_length * sample_rate / self.sample_rate) <= tolerance

"""The samples of a mix."""

from __future__ import annotations

import operator
from functools import reduce
from typing import TYPE_CHECKING

from stemdock.dsp.panning import panned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock.output.mixes import Levels
    from stemdock.types import FloatArray


def summed(stems: FloatArray, indices: Sequence[int], levels: Levels) -> FloatArray:
    """The sum of some stems.

    Args:
        stems: `(n_stems, n_samples, n_channels)`.
        indices: Indices of the stems to add.
        levels: The level of each of them; empty if all stay as they are.

    Returns:
        `(n_samples, n_channels)`; a view of `stems` if there is one index without a level.
    """
    if levels:
        parts = (panned(stems[index], levels[index].gain_db, levels[index].pan) for index in indices)
        mixed: FloatArray = reduce(operator.iadd, parts)
        return mixed
    if len(indices) == 1:
        stem: FloatArray = stems[indices[0]]
        return stem
    total: FloatArray = stems[list(indices)].sum(axis=0, dtype=stems.dtype)
    return total

"""Blocks of a mixture as every engine may expect them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock.dsp.levels import peak_of
from stemdock.errors import AudioError, NonFiniteSampleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stemdock.types import FloatArray

_LOUDEST: Final = 1e5
"""Times full scale. Unscaled 16-bit integers are within it."""


def checked(blocks: Iterable[FloatArray], n_channels: int) -> Iterator[FloatArray]:
    """Passes blocks on as float32 while they can be separated.

    Args:
        blocks: `(n_samples, 1 or n_channels)` each.
        n_channels: Channels of the engine.

    Raises:
        NonFiniteSampleError: A sample is NaN or infinite: it would spoil a whole segment.
        AudioError: A block has another shape, or a sample is so loud that its powers would be infinite.
    """
    position = 0
    for block in blocks:
        if block.ndim != 2 or block.shape[1] not in {1, n_channels}:  # noqa: PLR2004
            raise AudioError(
                f"a block has the unsupported shape {block.shape}",
                remedy=f"Pass samples as (n_samples, 1) or (n_samples, {n_channels}).",
            )
        peak = peak_of(block)
        if not np.isfinite(peak):
            finite = np.isfinite(block).all(axis=1)
            raise NonFiniteSampleError(position + int(np.argmin(finite)))
        if peak > _LOUDEST:
            raise AudioError(
                f"a sample of {peak:.0e} times full scale is too loud",
                remedy="Repair the audio in the program that made it, and export it again.",
            )
        position += len(block)
        yield np.asarray(block, np.float32)


def widened(blocks: Iterable[FloatArray], n_channels: int) -> Iterator[FloatArray]:
    """Copies a single channel to all channels.

    Args:
        blocks: `(n_samples, 1 or n_channels)` each.
        n_channels: Channels of the engine.

    Yields:
        Blocks `(n_samples, n_channels)`, read-only if they were widened.
    """
    for block in blocks:
        yield np.broadcast_to(block, (len(block), n_channels))

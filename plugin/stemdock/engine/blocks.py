"""Blocks of a mixture as every engine may expect them."""

from __future__ import annotations

import sys
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

    Integers are refused instead of scaled: their type does not say what full scale is (24 bits in 32).

    Args:
        blocks: `(n_samples, 1 or n_channels)` each.
        n_channels: Channels of the engine.

    Raises:
        NonFiniteSampleError: A sample is NaN or infinite: it would spoil a whole segment.
        AudioError: A block is not an array of floating point numbers, has another shape, or a sample is
            so loud that its powers would be infinite.
    """
    position = 0
    for block in blocks:
        check_array(block, n_channels)
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


def check_array(samples: object, n_channels: int) -> None:
    """Checks that samples are an array `(n_samples, 1 or n_channels)` of floating point numbers.

    Raises:
        AudioError: They are something else.
    """
    if not isinstance(samples, np.ndarray):
        raise AudioError(
            f"the samples are a {type(samples).__name__} instead of a NumPy array",
            remedy='Convert them with numpy.asarray(samples, "float32").',
        )
    # Whoever made one has imported numpy.ma, which takes 20 ms.
    if "numpy.ma" in sys.modules and isinstance(samples, np.ma.MaskedArray):
        raise AudioError(
            "the samples are a masked array", remedy="Replace the masked samples with samples.filled(0)."
        )
    if samples.dtype.kind != "f":
        raise AudioError(
            f"the samples are {samples.dtype} instead of floating point numbers",
            remedy="Scale them to full scale 1.0: numpy.float32(samples / 32768) for 16-bit integers.",
        )
    if samples.ndim != 2 or samples.shape[1] not in {1, n_channels}:  # noqa: PLR2004
        raise AudioError(
            f"an array has the unsupported shape {samples.shape}",
            remedy=f"Pass samples as (n_samples, 1) or (n_samples, {n_channels}).",
        )


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

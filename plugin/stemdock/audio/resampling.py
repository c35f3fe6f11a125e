"""Sample rates: the only module that knows soxr."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stemdock.types import FloatArray


def resampled(blocks: Iterable[FloatArray], from_rate: int, to_rate: int) -> Iterator[FloatArray]:
    """Blocks at another sample rate, without delay.

    Args:
        blocks: `(n_samples, n_channels)` each, all with the same number of channels.
        from_rate: Hz.
        to_rate: Hz.

    Yields:
        Blocks whose lengths add up to `total * to_rate / from_rate`, rounded; the samples do not
        depend on how the input was cut.
    """
    if from_rate == to_rate:
        yield from blocks
        return
    stream = empty = None
    for block in blocks:
        if stream is None:
            empty = block[:0]
            stream = soxr.ResampleStream(from_rate, to_rate, block.shape[1], dtype="float32", quality="HQ")
        yield stream.resample_chunk(np.ascontiguousarray(block))
    if stream is not None:
        yield stream.resample_chunk(empty, last=True)

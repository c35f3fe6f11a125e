"""Conversion of sample rates: the only module that imports soxr."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stemdock.types import FloatArray


def resampled(blocks: Iterable[FloatArray], from_rate: int, to_rate: int) -> Iterator[FloatArray]:
    """Converts blocks to another sample rate, without a delay.

    Args:
        blocks: `(n_samples, n_channels)`, all with the same number of channels.
        from_rate: Sample rate of the blocks in Hz.
        to_rate: Sample rate of the result in Hz.

    Yields:
        Blocks with a total length of `total * to_rate / from_rate`, rounded. The samples do not depend on
        how the input is divided into blocks.
    """
    if from_rate == to_rate:
        yield from blocks
        return
    import soxr  # noqa: PLC0415  most songs have the rate of the model

    stream = empty = None
    for block in blocks:
        if stream is None:
            empty = block[:0]
            stream = soxr.ResampleStream(from_rate, to_rate, block.shape[1], dtype="float32", quality="HQ")
        yield stream.resample_chunk(np.ascontiguousarray(block))
    if stream is not None:
        yield stream.resample_chunk(empty, last=True)

"""What the stems of a song leave of the mixture, as one more stem: mixes that start from the mixture need it.

A model hears nothing above its bandwidth, so its stems add up to less than the mixture.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from stemdock.audio import open_audio, resampled
from stemdock.files.excerpts import excerpt_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from stemdock.files.excerpts import Excerpt
    from stemdock.types import DownmixMode, FloatArray


@contextmanager
def second_reading(
    source: Path, downmix: DownmixMode, track: int | None, excerpt: Excerpt, rate: int
) -> Iterator[Iterator[FloatArray]]:
    """Opens the mixture once more, because an engine may read far ahead of its stems.

    Args:
        source: The mixture.
        downmix: As for the first reading.
        track: As for the first reading.
        excerpt: As for the first reading.
        rate: Hz of the blocks.

    Raises:
        AudioFileError: The mixture cannot be read again.
    """
    with open_audio(source, downmix, track=track) as whole:
        audio = excerpt_of(source, whole, excerpt)
        yield resampled(audio.blocks, audio.sample_rate, rate)


def with_remainder(stems: Iterable[FloatArray], mixture: Iterator[FloatArray]) -> Iterator[FloatArray]:
    """Appends the mixture minus all stems to the stems.

    Args:
        stems: Blocks `(n_stems, n_samples, n_channels)`.
        mixture: Blocks `(n_samples, n_channels or 1)` of any length; silence follows them.

    Yields:
        Blocks `(n_stems + 1, n_samples, n_channels)`.
    """
    waiting: FloatArray = np.zeros((0, 1), np.float32)
    for block in stems:
        length = block.shape[1]
        parts = [waiting]
        n_samples = len(waiting)
        while n_samples < length and (part := next(mixture, None)) is not None:
            parts.append(part)
            n_samples += len(part)
        if n_samples < length:
            parts.append(np.zeros((length - n_samples, parts[-1].shape[1]), np.float32))
        read = np.concatenate([part for part in parts if len(part)] or parts)
        waiting = read[length:]
        yield np.concatenate([block, (read[:length] - block.sum(axis=0, dtype=block.dtype))[np.newaxis]])

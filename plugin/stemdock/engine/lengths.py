"""Keeps the length of a result: resampling there and back rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stemdock.types import FloatArray


class StreamLength:
    """Makes a result exactly as long as its source.

    Attributes:
        taken: Samples of the source so far.
    """

    def __init__(self, source_rate: int, stems_rate: int) -> None:
        """Starts with nothing.

        Args:
            source_rate: Hz.
            stems_rate: Hz of the result.
        """
        self.taken = 0
        self._given = 0
        self._source_rate = source_rate
        self._stems_rate = stems_rate

    @property
    def given(self) -> int:
        """Samples of the source that the result so far corresponds to."""
        return min(_rescaled(self._given, self._stems_rate, self._source_rate), self.taken)

    def counted(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """Counts the samples of the source, `(n_samples, n_channels)` each, and passes them on."""
        for block in blocks:
            self.taken += len(block)
            yield block

    def fitted(self, stems: Iterable[FloatArray], n_stems: int, n_channels: int) -> Iterator[FloatArray]:
        """Passes stems on, `(n_stems, n_samples, n_channels)` each, and cuts or pads the last block."""
        # Separation lags behind its input, so only the end can be too long or too short.
        for block in stems:
            fitting = block[:, : self._missing]
            self._given += fitting.shape[1]
            yield fitting
        if self._missing:
            missing = np.zeros((n_stems, self._missing, n_channels), np.float32)
            self._given += self._missing
            yield missing

    @property
    def _missing(self) -> int:
        return _rescaled(self.taken, self._source_rate, self._stems_rate) - self._given


def _rescaled(length: int, from_rate: int, to_rate: int) -> int:
    """Samples at another rate that last as long, rounded to the nearest."""
    return (2 * length * to_rate + from_rate) // (2 * from_rate)

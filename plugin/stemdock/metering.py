"""Keeping count in a stream: how long its result must be, and how far it has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock.errors import CancelledError
from stemdock.types import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from threading import Event

    from stemdock.types import FloatArray

_FIRST_SHARE: Final = 0.8
"""Of the work of a separation with the Wiener filter, what the first pass does, with the networks in it."""


class StreamLength:
    """Keeps a result exactly as long as its source: resampling there and back rounds.

    Attributes:
        taken: Samples of the source so far.
    """

    def __init__(self, source_rate: int, stems_rate: int) -> None:
        """Begins with nothing.

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
        """Samples of the source that the result so far stands for."""
        return min(_rescaled(self._given, self._stems_rate, self._source_rate), self.taken)

    def counted(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """Passes the source on, `(n_samples, n_channels)` each, and counts it."""
        for block in blocks:
            self.taken += len(block)
            yield block

    def fitted(self, stems: Iterable[FloatArray], n_stems: int, n_channels: int) -> Iterator[FloatArray]:
        """Passes stems on, `(n_stems, n_samples, n_channels)` each, the last cut or filled up."""
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


class Meter:
    """Tells how far a separation has come, and stops one that was cancelled."""

    def __init__(
        self,
        sample_rate: int,
        total_length: int | None,
        on_progress: Callable[[Progress], None] | None,
        cancel: Event | None,
        *,
        mwf: bool,
    ) -> None:
        """Begins at the first sample.

        Args:
            sample_rate: Of the mixture, in Hz.
            total_length: Samples of the mixture, if they are known.
            on_progress: Whom to tell.
            cancel: What to look at.
            mwf: Whether there is a pass before that which gives the stems.
        """
        self._first_share = _FIRST_SHARE if mwf else 0.0
        self._sample_rate = sample_rate
        self._total_length = total_length
        self._on_progress = on_progress
        self._cancel = cancel

    def estimated(self, length: int) -> None:
        """The first pass has come to this sample of the mixture."""
        self.check()
        self._tell(round(self._first_share * length), self._total_length)

    def separated(self, length: int, taken_length: int) -> None:
        """The stems have come to this sample of the mixture, of which so much was taken in."""
        before = round(self._first_share * taken_length)
        self._tell(
            before + round((1 - self._first_share) * length) if length < taken_length else taken_length,
            taken_length if self._first_share else self._total_length,
        )

    def check(self) -> None:
        """Raises `CancelledError` if that is wanted."""
        if self._cancel is not None and self._cancel.is_set():
            raise CancelledError

    def _tell(self, done_length: int, total_length: int | None) -> None:
        if self._on_progress:
            self._on_progress(
                Progress(done_length=done_length, total_length=total_length, sample_rate=self._sample_rate)
            )

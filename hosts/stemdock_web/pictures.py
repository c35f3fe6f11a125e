"""The pictures of all stems of a song, as far as they are separated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock import GrowingPicture

if TYPE_CHECKING:
    from stemdock_hostkit.job.live import LiveStems

_BLOCK: Final = 1 << 17
"""Samples read at a time."""


class Pictures:
    """Grows behind the stems.

    Attributes:
        column_length: Samples of a column.
        edges: Edges of the spectrogram's bands in Hz.
    """

    def __init__(self, live: LiveStems) -> None:
        """Starts at the beginning of the song."""
        self._live = live
        self._each = [GrowingPicture(live.sample_rate) for _ in live.stems]
        self._columns = [bytearray() for _ in live.stems]
        self._length = 0
        self.column_length = self._each[0].column_length
        self.edges = self._each[0].edges
        self._column_size = 2 + len(self.edges) - 1

    @property
    def n_columns(self) -> int:
        """Columns that every stem has."""
        return min(map(len, self._columns)) // self._column_size

    def follow(self, length: int) -> None:
        """Draws the samples up to `length`.

        Raises:
            OSError: The stems cannot be read.
        """
        while self._length < length:
            block = self._live.read(self._length, min(_BLOCK, length - self._length))
            if not block.shape[1]:
                return
            self._length += block.shape[1]
            for picture, columns, stem in zip(self._each, self._columns, block, strict=True):
                columns.extend(picture.add(stem).tobytes())

    def finish(self) -> None:
        """Draws the last columns."""
        for picture, columns in zip(self._each, self._columns, strict=True):
            columns.extend(picture.finish().tobytes())

    def columns(self, start: int, end: int) -> bytes:
        """Columns from `start` to `end` of all stems, stem after stem: see `stemdock.GrowingPicture`."""
        size = self._column_size
        return b"".join(bytes(columns[start * size : end * size]) for columns in self._columns)

"""Reading anywhere in a large file, mostly forwards, in memory that does not grow with the file."""

from __future__ import annotations

import os
from typing import IO, Final

_WINDOW_SIZE: Final = 1 << 20


class Window:
    """A part of a file in memory, which moves to the positions that are read.

    Attributes:
        file_size: Bytes.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.file_size = os.fstat(file.fileno()).st_size
        self._file = file
        self._data = b""
        self._start = 0

    def read(self, position: int, size: int) -> bytes:
        """The bytes from a position on; fewer than `size` at the end of the file."""
        position = max(0, position)
        offset = position - self._start
        if offset < 0 or offset + size > len(self._data):
            self._file.seek(position)
            self._data = self._file.read(max(size, _WINDOW_SIZE))
            self._start = position
            offset = 0
        return self._data[offset : offset + size]

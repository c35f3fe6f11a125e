"""Samples that wait on disk until it is known how loud they get."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from stemdock.dsp.levels import peak_of
from stemdock.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock.types import FloatArray

_BLOCK_LENGTH: Final = 1 << 16


class SampleSpool:
    """A temporary file of bare float32 samples, written once and read once.

    Attributes:
        peak: Largest absolute sample so far.
    """

    def __init__(self, path: Path, n_channels: int) -> None:
        """Creates the file, whose folder is somebody else's to remove.

        Raises:
            OutputError: It cannot be created.
        """
        self.peak = 0.0
        self._path = path
        self._n_channels = n_channels
        try:
            self._file = path.open("x+b")
        except OSError as error:
            raise self._error(error) from error

    def write(self, block: FloatArray) -> None:
        """Appends a block `(n_samples, n_channels)`.

        Raises:
            OutputError: The disk is full or gone.
        """
        self.peak = max(self.peak, peak_of(block))
        try:
            self._file.write(np.ascontiguousarray(block, np.float32).data)
        except OSError as error:
            raise self._error(error) from error

    def blocks(self) -> Iterator[FloatArray]:
        """All that was written, in blocks `(n_samples, n_channels)`."""
        try:
            self._file.seek(0)
        except OSError as error:
            raise self._error(error) from error
        while data := self._file.read(_BLOCK_LENGTH * self._n_channels * 4):
            yield np.frombuffer(data, np.float32).reshape(-1, self._n_channels)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Closes and removes the file."""
        # What has not been written by now is wanted no more, and must not hide why.
        with suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)

    def _error(self, error: OSError) -> OutputError:
        return OutputError(
            self._path,
            f"cannot be written ({error.strerror})",
            remedy="Check permissions and free disk space.",
        )

"""Samples kept on disk until the peak of the whole song is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from stemdock.dsp.levels import peak_of
from stemdock.errors import OutputError
from stemdock.lib.array_file import ArrayFile
from stemdock.lib.os_errors import write_remedy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock.types import FloatArray

_BLOCK_LENGTH: Final = 1 << 16


class SampleSpool:
    """A temporary file of float32 samples, written once and read once.

    Attributes:
        peak: Largest absolute sample so far.
    """

    def __init__(self, folder: Path, n_channels: int) -> None:
        """Creates the file.

        Args:
            folder: Where the file uses disk space.
            n_channels: Channels of every block.

        Raises:
            OutputError: The file cannot be created.
        """
        self.peak = 0.0
        self._n_channels = n_channels
        self._file = ArrayFile(
            folder,
            lambda reason: OutputError(
                folder,
                f"temporary files cannot be stored there ({reason})",
                remedy=write_remedy(reason, "Check the permissions and the free disk space."),
            ),
        )

    def write(self, block: FloatArray) -> None:
        """Appends a block `(n_samples, n_channels)`.

        Raises:
            OutputError: The disk is full or disconnected.
        """
        self.peak = max(self.peak, peak_of(block))
        self._file.append(block)

    def blocks(self) -> Iterator[FloatArray]:
        """All samples, in blocks `(n_samples, n_channels)`.

        Raises:
            OutputError: They cannot be read.
        """
        self._file.rewind()
        while len(block := self._file.read(_BLOCK_LENGTH, self._n_channels)):
            yield block

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Removes the file."""
        self._file.close()

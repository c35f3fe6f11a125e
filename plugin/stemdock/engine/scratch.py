"""Arrays kept in a temporary file until they are needed a second time."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from stemdock.errors import OutputError
from stemdock.lib.array_file import ArrayFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stemdock.types import FloatArray


class ScratchFile:
    """A temporary file of float32 arrays, which is removed when it is closed.

    A record is a list of arrays; all records have the same shapes.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Creates the file, in the system's folder for temporary files (`TMPDIR`).

        Args:
            shapes: Shapes of the arrays in a record.

        Raises:
            OutputError: The file cannot be created.
        """
        self._shapes = shapes
        self._n_records = 0
        self._file = ArrayFile(None, _output_error)

    def append(self, record: Sequence[FloatArray]) -> None:
        """Adds a record.

        Raises:
            OutputError: The disk is full or disconnected.
        """
        for array in record:
            self._file.append(array)
        self._n_records += 1

    def records(self) -> Iterator[list[FloatArray]]:
        """All records, in the order they were added; their arrays are read-only.

        Raises:
            OutputError: They cannot be read.
        """
        self._file.rewind()
        for _ in range(self._n_records):
            yield [self._file.read(*shape) for shape in self._shapes]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Removes the file."""
        self._file.close()


def _output_error(reason: str) -> OutputError:
    return OutputError(
        Path(tempfile.gettempdir()),
        f"temporary files cannot be stored there ({reason})",
        remedy="Free some disk space, or set TMPDIR to a folder on another disk.",
    )

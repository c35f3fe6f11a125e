"""Float arrays in a temporary file, for data that would not fit in memory."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from math import prod
from typing import IO, TYPE_CHECKING, Any, Self

import numpy as np

from stemdock.lib.os_errors import os_errors_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


class ArrayFile:
    """A temporary file of float32 values, which is written once and can be read many times.

    The system removes the file when it is closed, also if the process is killed.
    """

    def __init__(self, folder: Path | None, make_error: Callable[[str], Exception]) -> None:
        """Creates the file.

        Args:
            folder: Where the file uses disk space; None for the system's folder for temporary files
                (`TMPDIR`).
            make_error: Makes the error that all methods raise if the disk is full or disconnected, from
                the reason that the system gives.
        """
        self._make_error = make_error
        with os_errors_as(make_error):
            # Closed by `__exit__`.
            self._file: IO[bytes] = tempfile.TemporaryFile(prefix="stemdock-", dir=folder)  # noqa: SIM115

    def append(self, array: NDArray[Any]) -> None:
        """Writes the values of an array, of any shape, as float32 at the end."""
        with os_errors_as(self._make_error):
            self._file.write(np.ascontiguousarray(array, np.float32).data)

    def rewind(self) -> None:
        """Goes back to the first value, to read all that was written."""
        with os_errors_as(self._make_error):
            self._file.seek(0)

    def read(self, *shape: int) -> NDArray[np.float32]:
        """Reads the next array.

        Args:
            shape: Of the array.

        Returns:
            A read-only array. At the end of the file its first axis is shorter, and 0 if nothing is left.
        """
        with os_errors_as(self._make_error):
            content = self._file.read(4 * prod(shape))
        return np.frombuffer(content, np.float32).reshape(-1, *shape[1:])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes and so removes the file."""
        # An error here means that a full disk could not take the last values: they are not needed now.
        with suppress(OSError):
            self._file.close()

"""Arrays kept in a temporary file until they are needed a second time."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

import numpy as np

from stemdock.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stemdock.types import FloatArray


class Spool:
    """A temporary file of float32 arrays, gone when it is closed.

    Every record is a list of arrays that has the same shapes as all others'.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Creates the file, in Python's folder for temporary files (`TMPDIR`).

        Args:
            shapes: Of the arrays in a record.

        Raises:
            OutputError: It cannot be created.
        """
        self._shapes = shapes
        self._n_records = 0
        with _told_errors():
            self._file: IO[bytes] = tempfile.TemporaryFile(prefix="stemdock-")  # noqa: SIM115  closed by us

    def append(self, record: Sequence[FloatArray]) -> None:
        """Adds a record.

        Raises:
            OutputError: The disk is full or gone.
        """
        with _told_errors():
            for array in record:
                self._file.write(np.ascontiguousarray(array, np.float32).data)
        self._n_records += 1

    def records(self) -> Iterator[list[FloatArray]]:
        """All records, in the order they were added; their arrays cannot be changed.

        Raises:
            OutputError: They cannot be read back.
        """
        with _told_errors():
            self._file.seek(0)
        for _ in range(self._n_records):
            with _told_errors():
                contents = [self._file.read(4 * prod(shape)) for shape in self._shapes]
            yield [
                np.frombuffer(content, np.float32).reshape(shape)
                for content, shape in zip(contents, self._shapes, strict=True)
            ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Nobody will read it, so what a full disk could not take is no loss.
        with _told_errors():
            self._file.close()


@contextmanager
def _told_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            Path(tempfile.gettempdir()),
            f"a temporary file cannot be kept there ({error.strerror})",
            remedy="Free some disk space, or name another folder in the environment variable TMPDIR.",
        ) from error

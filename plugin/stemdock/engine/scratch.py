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


class ScratchFile:
    """A temporary file of float32 arrays, removed when it is closed.

    It holds records: lists of arrays that all have the same shapes.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Creates the file in the folder for temporary files (`TMPDIR`).

        Args:
            shapes: Of the arrays in a record.

        Raises:
            OutputError: The file cannot be created.
        """
        self._shapes = shapes
        self._n_records = 0
        with _output_errors():
            self._file: IO[bytes] = tempfile.TemporaryFile(prefix="stemdock-")  # noqa: SIM115  see __exit__

    def append(self, record: Sequence[FloatArray]) -> None:
        """Adds a record.

        Raises:
            OutputError: The record cannot be written, for example to a full disk.
        """
        with _output_errors():
            for array in record:
                self._file.write(np.ascontiguousarray(array, np.float32).data)
        self._n_records += 1

    def records(self) -> Iterator[list[FloatArray]]:
        """All records in the order they were added. Their arrays are read-only.

        Raises:
            OutputError: A record cannot be read.
        """
        with _output_errors():
            self._file.seek(0)
        for _ in range(self._n_records):
            with _output_errors():
                contents = [self._file.read(4 * prod(shape)) for shape in self._shapes]
            yield [
                np.frombuffer(content, np.float32).reshape(shape)
                for content, shape in zip(contents, self._shapes, strict=True)
            ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with _output_errors():
            self._file.close()


@contextmanager
def _output_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            Path(tempfile.gettempdir()),
            f"a temporary file cannot be kept there ({error.strerror})",
            remedy="Free some disk space, or set the environment variable TMPDIR to another folder.",
        ) from error

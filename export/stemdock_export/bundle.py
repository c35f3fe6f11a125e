"""The tensors of a TensorFlow checkpoint (format V2), read without TensorFlow.

Tensors are read one at a time, so memory holds only those that the caller keeps.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock import os_errors_as
from stemdock_export.bundle_index import MAX_INDEX_LENGTH, parse_index
from stemdock_export.errors import UNPACK_AGAIN, CheckpointError, FormatError
from stemdock_export.table import masked_crc32c

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from stemdock import FloatArray
    from stemdock_export.checkpoint import Checkpoint

_FLOAT32: Final = 1
"""Number in TensorFlow's enum of data types."""
_STORED: Final = np.dtype("<f4")


class Bundle:
    """The tensors of one checkpoint.

    Raises:
        CheckpointError: The index is damaged, or of a kind that Spleeter does not write.
        ExtraMissingError: google-crc32c is not installed.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Reads the index."""
        self._data = checkpoint.data
        self._index = checkpoint.index
        with _reading(self._index), self._index.open("rb") as file:
            content = file.read(MAX_INDEX_LENGTH + 1)
        try:
            self._entries = parse_index(content, len(self._data))
        except FormatError as error:
            raise CheckpointError(
                self._index, f"the index cannot be read: {error}", remedy=UNPACK_AGAIN
            ) from error

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes of the tensors of all types, by name."""
        return {name: entry.shape for name, entry in self._entries.items()}

    def read(self, name: str) -> FloatArray:
        """One tensor, read-only, with the values as stored.

        Raises:
            CheckpointError: The tensor is damaged, in pieces, or not float32.
            KeyError: The checkpoint has no tensor of that name.
        """
        entry = self._entries[name]
        for wrong, reason, remedy in (
            (entry.sliced, "is stored in pieces", "Save the model without partitioned variables."),
            (entry.dtype != _FLOAT32, "is not float32", "Save the model in float32."),
            (entry.shard >= len(self._data), "is in a data file that does not exist", UNPACK_AGAIN),
            (
                entry.length != math.prod(entry.shape) * _STORED.itemsize,
                f"has {entry.length} bytes, which does not match its shape",
                UNPACK_AGAIN,
            ),
        ):
            if wrong:
                raise CheckpointError(self._index, f"tensor {name} {reason}", remedy=remedy)
        path = self._data[entry.shard]
        with _reading(path), path.open("rb") as file:
            # Before reading, since a damaged index may contain lengths that exceed the memory.
            if entry.offset + entry.length > path.stat().st_size:
                raise CheckpointError(
                    path, f"the file is cut off: tensor {name} is beyond its end", remedy=UNPACK_AGAIN
                )
            file.seek(entry.offset)
            content = file.read(entry.length)
        if masked_crc32c(content) != entry.checksum:
            raise CheckpointError(
                path, f"tensor {name} is damaged: its checksum is wrong", remedy=UNPACK_AGAIN
            )
        return np.frombuffer(content, _STORED).astype(np.float32, copy=False).reshape(entry.shape)


def _reading(path: Path) -> AbstractContextManager[None]:
    remedy = "Check the file's permissions, or unpack the model's archive again."
    return os_errors_as(lambda reason: CheckpointError(path, f"cannot be read ({reason})", remedy=remedy))

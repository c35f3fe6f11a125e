"""TensorFlow checkpoints of format V2, read without TensorFlow.

The index maps every tensor's name to its type, its shape, its place in the data files and its
checksum. Tensors are read one at a time, so memory holds only those that somebody keeps.

References:
    tensorflow, `core/protobuf/tensor_bundle.proto` and `core/util/tensor_bundle/`.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock import FormatError, read_fields
from stemdock_export.errors import CheckpointError
from stemdock_export.table import masked_crc32c, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from stemdock import FloatArray
    from stemdock_export.checkpoint import Checkpoint

_INDEX_LENGTH: Final = 1 << 20
"""Longest index that is read, bytes; that of 5 stems has 12 KB, and thrice as much in training."""
_HEADER_KEY: Final = b""
_VERSION: Final = 1
"""Of the format, the only one since it exists."""
_MAX_RANK: Final = 254
"""Axes that TensorFlow allows."""
_FLOAT32: Final = 1
"""Of TensorFlow's enum of data types."""
# Numbers of the fields in the messages that the index is made of.
_HEADER_SHARDS, _HEADER_ENDIANNESS, _HEADER_VERSIONS, _VERSIONS_MIN_CONSUMER = 1, 2, 3, 2
_ENTRY_DTYPE, _ENTRY_SHAPE, _ENTRY_SHARD, _ENTRY_OFFSET, _ENTRY_SIZE = 1, 2, 3, 4, 5
_ENTRY_CRC32C, _ENTRY_SLICES, _SHAPE_DIM, _DIM_SIZE = 6, 7, 2, 1
_STORED: Final = np.dtype("<f4")
_UNPACK: Final = "Unpack the model's archive again."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """What the index says of one tensor."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    """Position of its data file."""
    offset: int
    length: int
    """Bytes."""
    checksum: int
    sliced: bool
    """Whether it is stored in pieces that have entries of their own."""


class Bundle:
    """The tensors of one checkpoint.

    Raises:
        CheckpointError: The index is damaged, or of a kind that Spleeter does not write.
        ExtraMissingError: There is no google-crc32c.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Reads the index."""
        self._data = checkpoint.data
        self._index = checkpoint.prefix.with_name(f"{checkpoint.prefix.name}.index")
        try:
            records = dict(read_table(_read_index(self._index)))
            _check_header(records.pop(_HEADER_KEY, b""), len(self._data))
            # Pieces of sliced tensors have keys that are no text, but nobody asks for them.
            self._entries = {
                key.decode(errors="backslashreplace"): _parse_entry(value) for key, value in records.items()
            }
        except FormatError as error:
            raise CheckpointError(self._index, f"cannot be read: it {error}", remedy=_UNPACK) from error

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Of all tensors, whatever their type, by name."""
        return {name: entry.shape for name, entry in self._entries.items()}

    def read(self, name: str) -> FloatArray:
        """One tensor, read-only, its values as they were stored.

        Raises:
            CheckpointError: It is damaged, in pieces, or not float32.
            KeyError: There is none of that name.
        """
        entry = self._entries[name]
        for wrong, reason, remedy in (
            (entry.sliced, "is stored in pieces", "Save the model without partitioned variables."),
            (entry.dtype != _FLOAT32, "is not float32", "Save the model in float32."),
            (entry.shard >= len(self._data), "is in a data file that does not exist", _UNPACK),
            (
                entry.length != math.prod(entry.shape) * _STORED.itemsize,
                f"has {entry.length} bytes, which is not what its shape asks for",
                _UNPACK,
            ),
        ):
            if wrong:
                raise CheckpointError(self._index, f"tensor {name} {reason}", remedy=remedy)
        path = self._data[entry.shard]
        with _reading(path), path.open("rb") as file:
            # Asked first, for a damaged index may tell of lengths that fit no memory.
            if entry.offset + entry.length > path.stat().st_size:
                raise CheckpointError(path, f"is cut short: tensor {name} is beyond its end", remedy=_UNPACK)
            file.seek(entry.offset)
            content = file.read(entry.length)
        if masked_crc32c(content) != entry.checksum:
            raise CheckpointError(path, f"tensor {name} is damaged: its checksum is wrong", remedy=_UNPACK)
        return np.frombuffer(content, _STORED).astype(np.float32, copy=False).reshape(entry.shape)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CheckpointError(
            path,
            f"cannot be read ({error.strerror})",
            remedy="Look at its rights, or unpack the archive again.",
        ) from error


def _read_index(path: Path) -> bytes:
    with _reading(path), path.open("rb") as file:
        content = file.read(_INDEX_LENGTH + 1)
    if len(content) > _INDEX_LENGTH:
        raise FormatError(f"has more than {_INDEX_LENGTH} bytes")
    return content


def _check_header(message: bytes, n_shards: int) -> None:
    """Refuses what a `BundleHeaderProto` says if this module would read it wrongly."""
    header = dict(read_fields(message))
    versions = dict(read_fields(_message(header.get(_HEADER_VERSIONS, b""))))
    told = _integer(header.get(_HEADER_SHARDS, 0))
    if told != n_shards:
        raise FormatError(f"tells of {told} data files where there are {n_shards}")
    if header.get(_HEADER_ENDIANNESS, 0) != 0:
        raise FormatError("is of a big-endian machine, whose checkpoints are not supported")
    if _integer(versions.get(_VERSIONS_MIN_CONSUMER, 0)) > _VERSION:
        raise FormatError("is of a later format than is known")


def _parse_entry(message: bytes) -> _Entry:
    """What a `BundleEntryProto` says."""
    # Only its slices repeat, of which it matters whether there are any.
    fields = dict(read_fields(message))
    return _Entry(
        dtype=_integer(fields.get(_ENTRY_DTYPE, 0)),
        shape=_parse_shape(_message(fields.get(_ENTRY_SHAPE, b""))),
        shard=_integer(fields.get(_ENTRY_SHARD, 0)),
        offset=_integer(fields.get(_ENTRY_OFFSET, 0)),
        length=_integer(fields.get(_ENTRY_SIZE, 0)),
        checksum=_integer(fields.get(_ENTRY_CRC32C, 0)),
        sliced=_ENTRY_SLICES in fields,
    )


def _parse_shape(message: bytes) -> tuple[int, ...]:
    """The axes of a `TensorShapeProto`; an unknown one comes out too large for any file."""
    axes = [
        dict(read_fields(_message(value))) for field, value in read_fields(message) if field == _SHAPE_DIM
    ]
    if len(axes) > _MAX_RANK:
        raise FormatError("has a tensor of too many axes")
    return tuple(_integer(axis.get(_DIM_SIZE, 0)) for axis in axes)


def _integer(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise FormatError("has text in place of a number")
    return value


def _message(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise FormatError("has a number in place of a message")
    return value

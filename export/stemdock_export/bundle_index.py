"""The index of a TensorFlow checkpoint (format V2), read without TensorFlow.

The index gives the type, shape, place in the data files and checksum of every tensor.

References:
    tensorflow, `core/util/tensor_bundle/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock_export.errors import FormatError
from stemdock_export.table import read_table
from stemdock_export.tensor_bundle import parse_entry, parse_header

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_INDEX_LENGTH: Final = 1 << 20
"""Bytes; the index of 5stems has 12 KB, and three times as much during training."""
_HEADER_KEY: Final = b""
_VERSION: Final = 1
"""The only version of the format so far."""
_MAX_RANK: Final = 254
"""TensorFlow's limit on the number of axes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The index entry of one tensor."""

    dtype: int
    """Number in TensorFlow's enum of data types."""
    shape: tuple[int, ...]
    shard: int
    """Position of its data file."""
    offset: int
    """Bytes from the start of that file."""
    length: int
    """Bytes."""
    checksum: int
    """Masked CRC-32C of these bytes."""
    sliced: bool
    """Whether the tensor is stored in pieces, each with an entry of its own."""


def parse_index(content: bytes, n_shards: int) -> Mapping[str, Entry]:
    """The entries of all tensors by name.

    Args:
        content: The whole index file.
        n_shards: Number of data files that exist.

    Raises:
        FormatError: The index is damaged, or of a kind that Spleeter does not write.
        ExtraMissingError: google-crc32c is not installed.
    """
    if len(content) > MAX_INDEX_LENGTH:
        raise FormatError(f"it is larger than {MAX_INDEX_LENGTH} bytes")
    records = dict(read_table(content))
    _check_header(records.pop(_HEADER_KEY, b""), n_shards)
    # Pieces of sliced tensors have binary keys, which are never looked up.
    return {key.decode(errors="backslashreplace"): _entry(value) for key, value in records.items()}


def _check_header(content: bytes, n_shards: int) -> None:
    header = parse_header(content)
    if header.num_shards != n_shards:
        raise FormatError(f"it lists {header.num_shards} data files, but there are {n_shards}")
    if header.endianness != 0:
        raise FormatError("it comes from a big-endian machine, which is not supported")
    if header.version.min_consumer > _VERSION:
        raise FormatError("its format is newer than Stemdock supports")


def _entry(content: bytes) -> Entry:
    message = parse_entry(content)
    if len(message.shape.dim) > _MAX_RANK:
        raise FormatError("a tensor has too many axes")
    return Entry(
        dtype=message.dtype,
        shape=tuple(axis.size for axis in message.shape.dim),
        shard=message.shard_id,
        offset=message.offset,
        length=message.size,
        checksum=message.crc32c,
        sliced=bool(message.slices),
    )

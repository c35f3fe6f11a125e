"""Tables of sorted keys and values in LevelDB's file format, the format of a checkpoint's index.

A table is a row of blocks and ends in a footer, which says where the index block is; that one's
values say where the data blocks are. Every block has a checksum. Inside a block each key is stored
as what it has in common with the key before, by length, and the rest.

References:
    google/leveldb, `doc/table_format.md`; tensorflow, `core/lib/io/format.cc`.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Final

from stemdock import FormatError, read_varint
from stemdock_export.extra import import_extra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FOOTER_LENGTH: Final = 48
_MAGIC: Final = (0xDB4775248B80FB57).to_bytes(8, "little")
_TRAILER: Final = struct.Struct("<BI")
"""After each block: how it is compressed, and its masked checksum."""
_UINT32: Final = struct.Struct("<I")
_UNCOMPRESSED: Final = 0
_KEY_LENGTH: Final = 1024
"""Longest key that is read: prefixes could otherwise make a small file fill the memory."""


def masked_crc32c(data: bytes) -> int:
    """The CRC-32C of some bytes, rotated and offset as LevelDB and TensorFlow store it."""
    crc = _crc32c()(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@cache
def _crc32c() -> Callable[[bytes], int]:
    value: Callable[[bytes], int] = import_extra("google_crc32c").value
    return value


def read_table(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values in order.

    Args:
        content: Of the whole file.

    Raises:
        FormatError: It is no such table, is damaged, or is compressed, which TensorFlow's never are.
    """
    if not content.endswith(_MAGIC) or len(content) < _FOOTER_LENGTH:
        raise FormatError("is cut short or of another kind (its last bytes are wrong)")
    footer = content[-_FOOTER_LENGTH:]
    # First comes the handle of a block about filters, which TensorFlow leaves empty.
    _, position = _read_handle(footer, 0)
    index, _ = _read_handle(footer, position)
    last_key = None
    for _, value in _read_entries(_read_block(content, *index)):
        handle, _ = _read_handle(value, 0)
        for key, item in _read_entries(_read_block(content, *handle)):
            # Which also ends a chain of blocks that point to themselves.
            if last_key is not None and key <= last_key:
                raise FormatError("has keys out of order")
            last_key = key
            yield key, item


def _read_handle(data: bytes, position: int) -> tuple[tuple[int, int], int]:
    """Offset and length of a block, and the position after both."""
    offset, position = read_varint(data, position)
    length, position = read_varint(data, position)
    return (offset, length), position


def _read_block(content: bytes, offset: int, length: int) -> bytes:
    end = offset + length
    if end + _TRAILER.size > len(content) - _FOOTER_LENGTH:
        raise FormatError("points beyond its end")
    compression, checksum = _TRAILER.unpack_from(content, end)
    if masked_crc32c(content[offset : end + 1]) != checksum:
        raise FormatError("has a wrong checksum")
    if compression != _UNCOMPRESSED:
        raise FormatError("is compressed, which TensorFlow's own never are")
    return content[offset:end]


def _read_entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    # A block ends in offsets of keys stored in full, for lookups, and their number.
    if len(block) < _UINT32.size:
        raise FormatError("has a block that is too short")
    (n_restarts,) = _UINT32.unpack(block[-_UINT32.size :])
    end = len(block) - _UINT32.size * (n_restarts + 1)
    if end < 0:
        raise FormatError("has a block that is too short")
    key, position = b"", 0
    while position < end:
        n_shared, position = read_varint(block, position)
        n_own, position = read_varint(block, position)
        value_length, position = read_varint(block, position)
        value_start = position + n_own
        if n_shared > len(key) or value_start + value_length > end:
            raise FormatError("has an entry that reaches beyond its block")
        if n_shared + n_own > _KEY_LENGTH:
            raise FormatError("has a key that is too long")
        key = key[:n_shared] + block[position:value_start]
        position = value_start + value_length
        yield key, block[value_start:position]

"""Reads tables of sorted keys and values in LevelDB's file format, the format of a checkpoint's index.

A table is a sequence of blocks and a footer. The footer points to the index block, whose values point to
the data blocks. Every block has a checksum. A block stores each key as the length of the part that it
shares with the previous key, and the rest.

References:
    google/leveldb, `doc/table_format.md`; tensorflow, `core/lib/io/format.cc`.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Final

from stemdock_export.errors import FormatError
from stemdock_export.extra import import_extra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FOOTER_LENGTH: Final = 48
_MAGIC: Final = (0xDB4775248B80FB57).to_bytes(8, "little")
_TRAILER: Final = struct.Struct("<BI")
"""After each block: its compression, and its masked checksum."""
_UINT32: Final = struct.Struct("<I")
_UNCOMPRESSED: Final = 0
_MAX_KEY_LENGTH: Final = 1024
"""Bytes; without a limit, shared prefixes could make a small file fill the memory."""
_MAX_VARINT_LENGTH: Final = 10
"""Bytes of a number of 64 bits."""


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
        content: The whole file.

    Raises:
        FormatError: The bytes are not a table, are damaged, or are compressed, which TensorFlow never does.
    """
    if not content.endswith(_MAGIC) or len(content) < _FOOTER_LENGTH:
        raise FormatError("it is cut off, or not an index")
    footer = _Reader(content[-_FOOTER_LENGTH:])
    footer.handle()  # of a block about filters, which TensorFlow leaves empty
    index = footer.handle()
    last_key = None
    for _, value in _read_entries(_read_block(content, *index)):
        for key, item in _read_entries(_read_block(content, *_Reader(value).handle())):
            # This also ends a chain of blocks that point to themselves.
            if last_key is not None and key <= last_key:
                raise FormatError("its keys are not in order")
            last_key = key
            yield key, item


def _read_block(content: bytes, offset: int, length: int) -> bytes:
    end = offset + length
    if end + _TRAILER.size > len(content) - _FOOTER_LENGTH:
        raise FormatError("a block is beyond its end")
    compression, checksum = _TRAILER.unpack_from(content, end)
    if masked_crc32c(content[offset : end + 1]) != checksum:
        raise FormatError("a checksum is wrong")
    if compression != _UNCOMPRESSED:
        raise FormatError("it is compressed, which is not supported")
    return content[offset:end]


def _read_entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    # A block ends with the offsets of keys that are stored in full, for lookups, and their number.
    if len(block) < _UINT32.size:
        raise FormatError("a block is too short")
    (n_restarts,) = _UINT32.unpack(block[-_UINT32.size :])
    end = len(block) - _UINT32.size * (n_restarts + 1)
    if end < 0:
        raise FormatError("a block is too short")
    reader = _Reader(block[:end])
    key = b""
    while reader.position < end:
        n_shared, n_own, value_length = reader.varint(), reader.varint(), reader.varint()
        if n_shared > len(key) or n_shared + n_own > _MAX_KEY_LENGTH:
            raise FormatError("a key has an invalid length")
        key = key[:n_shared] + reader.take(n_own)
        yield key, reader.take(value_length)


class _Reader:
    """Reads values from bytes, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def take(self, length: int) -> bytes:
        """The next bytes."""
        start, self.position = self.position, self.position + length
        if self.position > len(self._data):
            raise FormatError("an entry is cut off")
        return self._data[start : self.position]

    def varint(self) -> int:
        """An unsigned integer of seven bits a byte, the lowest first."""
        value = 0
        for index in range(_MAX_VARINT_LENGTH):
            (byte,) = self.take(1)
            value |= (byte & 0x7F) << 7 * index
            if byte < 0x80:  # noqa: PLR2004  the top bit is set in all bytes but the last
                return value
        raise FormatError("a number is too large")

    def handle(self) -> tuple[int, int]:
        """Offset and length of a block."""
        return self.varint(), self.varint()

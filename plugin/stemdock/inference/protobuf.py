"""Reads and writes varints and protobuf fields, the encoding of model files.

Readers of protobuf differ in what they make of bytes that no writer produces: some drop the upper bits of a
number, some stop, some continue. A model that one reader checks and another one runs must mean the same to
both, so only the encoding that the format defines is accepted.

References:
    protobuf.dev, "Encoding".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARINT_BITS: Final = 64
_TAG_BITS: Final = 32
_CONTINUED: Final = 0x80
"""Bit of a byte that says whether more bytes of the integer follow."""
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types. These messages do not use protobuf's groups (3 and 4)."""
_FIXED_LENGTHS: Final = {FIXED64: 8, FIXED32: 4}

Data = TypeVar("Data", bytes, memoryview, "bytes | memoryview")
"""Slices of a memoryview share its memory, so weights are not copied."""


class FormatError(ValueError):
    """Bytes are not a valid encoding. The message completes the sentence "the file ..."."""


def read_varint(data: bytes | memoryview, position: int) -> tuple[int, int]:
    """Reads an unsigned integer of seven bits per byte, least significant first.

    Args:
        data: Bytes that contain it.
        position: Of its first byte.

    Returns:
        The integer, below 2**64, and the position after it.

    Raises:
        FormatError: The integer continues beyond the data or beyond 64 bits, or fewer bytes could hold it.
    """
    if position < len(data) and (byte := data[position]) < _CONTINUED:
        return byte, position + 1  # most numbers have one byte
    value = 0
    for shift in range(0, _VARINT_BITS, 7):
        if position >= len(data):
            raise FormatError("ends in the middle of a number")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < _CONTINUED:
            break
    if byte >= _CONTINUED or value >> _VARINT_BITS:
        raise FormatError("has a number that is too large")
    if byte == 0:
        raise FormatError("has a number with superfluous bytes")
    return value, position


def read_fields(message: Data) -> Iterator[tuple[int, int | Data]]:
    """Reads the fields of a protobuf message in order.

    Negative integers are returned as their two's complement of 64 bits.

    Yields:
        Number and value of each field. The value is a slice for strings and messages, else an integer.

    Raises:
        FormatError: The message is damaged.
    """
    for field, _, value in read_typed_fields(message):
        yield field, value


def read_typed_fields(message: Data) -> Iterator[tuple[int, int, int | Data]]:
    """As `read_fields`, with the wire type between number and value."""
    position, end = 0, len(message)
    while position < end:
        tag, position = read_varint(message, position)
        field, wire_type = tag >> 3, tag & 7
        if not field or tag >> _TAG_BITS:
            raise FormatError("has a field without a valid number")
        if wire_type == VARINT:
            value, position = read_varint(message, position)
            yield field, wire_type, value
            continue
        if wire_type == BYTES:
            length, position = read_varint(message, position)
        elif wire_type in _FIXED_LENGTHS:
            length = _FIXED_LENGTHS[wire_type]
        else:
            raise FormatError("has a field of an unknown kind")
        if length > end - position:
            raise FormatError("ends in the middle of a field")
        content = message[position : position + length]
        position += length
        yield field, wire_type, content if wire_type == BYTES else int.from_bytes(content, "little")


def as_message(value: int | memoryview) -> memoryview:
    """Returns a field's value, which must be a message or a text.

    Raises:
        FormatError: The value is a number.
    """
    if isinstance(value, int):
        raise FormatError("has a number in place of a message")
    return value


def field_header(field: int, length: int) -> bytes:
    """Encodes the header of a field that is a string or a message.

    Args:
        field: The field's number.
        length: Of the string or message, in bytes.
    """
    return _varint(field << 3 | BYTES) + _varint(length)


def integer_field(field: int, value: int) -> bytes:
    """Encodes a field that is an integer, not negative.

    Args:
        field: Its number.
        value: Its value.
    """
    return _varint(field << 3 | VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:  # noqa: PLR2004  what seven bits hold
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)

"""The two encodings that model files and TensorFlow's checkpoint index are made of: varints and protobuf.

References:
    protobuf.dev, "Encoding".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARINT_BITS: Final = 64
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Wire types; protobuf's groups (3 and 4) are in none of these messages."""
_FIXED_LENGTHS: Final = {_FIXED64: 8, _FIXED32: 4}

Data = TypeVar("Data", bytes, memoryview)
"""Parts of a memoryview are not copied, which matters where they are weights."""


class FormatError(ValueError):
    """Bytes are not what they should be; the message completes "the file ..."."""


def read_varint(data: bytes | memoryview, position: int) -> tuple[int, int]:
    """An unsigned integer of seven bits a byte, least significant first.

    Args:
        data: What it is in.
        position: Of its first byte.

    Returns:
        The integer, below 2**64, and the position after it.

    Raises:
        FormatError: It goes on beyond the data or beyond 64 bits.
    """
    value = shift = 0
    while True:
        if position >= len(data):
            raise FormatError("ends in the middle of a number")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004  the top bit says whether there is more
            break
        shift += 7
        if shift >= _VARINT_BITS:
            raise FormatError("has a number that is too large")
    return value % (1 << _VARINT_BITS), position


def read_fields(message: Data) -> Iterator[tuple[int, int | Data]]:
    """The fields of a protobuf message in order.

    Negative integers come as their two's complement of 64 bits.

    Yields:
        Each field's number and value: a part of the message for strings and messages, or else an integer.

    Raises:
        FormatError: It is no such message.
    """
    position = 0
    while position < len(message):
        tag, position = read_varint(message, position)
        field, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            value, position = read_varint(message, position)
            yield field, value
            continue
        if wire_type == _BYTES:
            length, position = read_varint(message, position)
        elif wire_type in _FIXED_LENGTHS:
            length = _FIXED_LENGTHS[wire_type]
        else:
            raise FormatError("has a field of an unknown kind")
        content = message[position : position + length]
        if len(content) < length:
            raise FormatError("ends in the middle of a field")
        position += length
        yield field, content if wire_type == _BYTES else int.from_bytes(content, "little")


def as_message(value: int | memoryview) -> memoryview:
    """A field's value, if it is a message or a text.

    Raises:
        FormatError: It is a number.
    """
    if isinstance(value, int):
        raise FormatError("has a number in place of a message")
    return value


def field_header(field: int, length: int) -> bytes:
    """What stands before a string or a message in the message that it is a field of.

    Args:
        field: The field's number.
        length: Of the string or message, in bytes.
    """
    return _varint(field << 3 | _BYTES) + _varint(length)


def integer_field(field: int, value: int) -> bytes:
    """A field that is a whole number, not negative.

    Args:
        field: Its number.
        value: Its value.
    """
    return _varint(field << 3 | _VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:  # noqa: PLR2004  what seven bits hold
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)

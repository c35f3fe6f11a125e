"""Reads and writes varints and protobuf fields, the encodings of model files and TensorFlow checkpoints.

References:
    protobuf.dev, "Encoding".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARINT_BITS: Final = 64
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Wire types. These messages do not use protobuf's groups (3 and 4)."""
_FIXED_LENGTHS: Final = {_FIXED64: 8, _FIXED32: 4}

Data = TypeVar("Data", bytes, memoryview)
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
        FormatError: The integer continues beyond the data or beyond 64 bits.
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
    """Reads the fields of a protobuf message in order.

    Negative integers are returned as their two's complement of 64 bits.

    Yields:
        Number and value of each field. The value is a slice for strings and messages, else an integer.

    Raises:
        FormatError: The message is damaged.
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
    return _varint(field << 3 | _BYTES) + _varint(length)


def integer_field(field: int, value: int) -> bytes:
    """Encodes a field that is an integer, not negative.

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

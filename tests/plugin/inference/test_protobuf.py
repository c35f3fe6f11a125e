"""The protobuf reader against arbitrary bytes and numbers."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stemdock.inference.protobuf import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    FormatError,
    as_message,
    field_header,
    integer_field,
    read_fields,
    read_typed_fields,
    read_varint,
)
from support.tf_bundle import varint


@given(content=st.binary(max_size=300))
def test_any_bytes_are_a_message_or_refused(content: bytes) -> None:
    try:
        fields = list(read_fields(content))
    except FormatError:
        return
    assert all(isinstance(value, int | bytes) for _, value in fields)


@given(st.integers(0, 2**64 - 1))
def test_numbers_are_read(number: int) -> None:
    encoded = varint(number)
    assert read_varint(encoded, 0) == (number, len(encoded))


@given(st.integers(0, 2**64 - 1), st.integers(1, 3))
def test_numbers_in_more_bytes_than_they_need_are_refused(number: int, n_more: int) -> None:
    encoded = bytearray(varint(number))
    encoded[-1] |= 0x80
    encoded += b"\x80" * (n_more - 1) + b"\0"
    with pytest.raises(FormatError):
        read_varint(bytes(encoded), 0)


@given(st.integers(0, 2**40), st.binary(max_size=5))
def test_tags_have_32_bits_and_a_number(tag: int, content: bytes) -> None:
    message = varint(tag & ~7 | 2) + varint(len(content)) + content
    if 8 <= tag < 2**32:
        assert list(read_fields(message)) == [(tag >> 3, content)]
    else:
        with pytest.raises(FormatError):
            list(read_fields(message))


@pytest.mark.parametrize(
    "content",
    [
        b"\x80" * 10 + b"\0",
        b"\x80" * 10 + b"\x01",
        b"\xff" * 9 + b"\x02",
        b"\x80" * 1000,
        b"\x80" * 9 + b"\x7f",
    ],
)
def test_numbers_of_more_than_64_bits_are_refused(content: bytes) -> None:
    with pytest.raises(FormatError, match="too large"):
        read_varint(content, 0)


FIELDS = [
    (b"\x08\xac\x02", (1, VARINT, 300)),
    (b"\x12\x03abc", (2, BYTES, b"abc")),
    (b"\x19\x01\x02\0\0\0\0\0\x80", (3, FIXED64, (1 << 63) + 513)),
    (b"\x25\x01\x02\0\x80", (4, FIXED32, (1 << 31) + 513)),
    (b"\x2a\0", (5, BYTES, b"")),
]
"""Encoded by hand, with what they mean."""


def test_a_message_may_end_after_a_field_and_nowhere_else() -> None:
    for numbers in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0]):
        fields = [FIELDS[number] for number in numbers]
        content = b"".join(encoded for encoded, _ in fields)
        ends = [sum(len(encoded) for encoded, _ in fields[:n]) for n in range(len(fields) + 1)]
        for cut in range(len(content) + 1):
            if cut in ends:
                meant = [each for _, each in fields[: ends.index(cut)]]
                assert list(read_typed_fields(content[:cut])) == meant
                assert list(read_fields(memoryview(content)[:cut])) == [(n, value) for n, _, value in meant]
            else:
                with pytest.raises(FormatError, match="ends in the middle"):
                    list(read_typed_fields(content[:cut]))


@pytest.mark.parametrize("wire_type", [3, 4, 6, 7])
def test_other_kinds_of_fields_are_refused(wire_type: int) -> None:
    with pytest.raises(FormatError, match="unknown kind"):
        list(read_typed_fields(bytes([1 << 3 | wire_type]) + bytes(8)))


@given(st.integers(1, 2**29 - 1), st.integers(0, 2**64 - 1))
@example(1, 127)
@example(1, 128)
def test_fields_are_written_as_the_format_says(field: int, value: int) -> None:
    assert field_header(field, value) == varint(field << 3 | 2) + varint(value)
    assert integer_field(field, value) == varint(field << 3) + varint(value)


def test_a_number_is_no_message() -> None:
    assert bytes(as_message(memoryview(b"a"))) == b"a"
    with pytest.raises(FormatError, match="number in place of a message"):
        as_message(1)

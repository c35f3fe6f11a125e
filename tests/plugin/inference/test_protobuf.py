"""The protobuf reader against arbitrary bytes and numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemdock.inference.protobuf import FormatError, read_fields, read_varint
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

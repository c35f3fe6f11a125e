"""The protobuf reader against arbitrary bytes and numbers."""

from __future__ import annotations

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

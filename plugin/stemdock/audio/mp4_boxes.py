"""Boxes of MPEG-4 files (ISO/IEC 14496-12, section 4.2): adding one to the user data of a file."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_HEAD: Final = struct.Struct(">I4s")
_LONG_HEAD: Final = struct.Struct(">I4sQ")
_LONG: Final = 1
"""In place of the length, if the long header has it."""


class _Box(NamedTuple):
    kind: bytes
    length: int
    """Bytes, with the header."""


def add_user_data(path: Path, kind: bytes, content: bytes) -> None:
    """Adds a box to the user data of a file (moov/udta), in place.

    Offsets to the sound stay valid, because nothing comes after the box that grows.

    Args:
        path: A complete file with its moov box at the end, which is where ffmpeg puts it.
        kind: Four letters.
        content: What the new box contains.

    Raises:
        OSError: The file cannot be read or written.
        ValueError: It does not end with a moov box.
    """
    with path.open("r+b") as file:
        start = _start_of_moov(file)
        file.seek(start)
        moov = file.read()
        file.seek(start)
        file.write(_with_user_data(moov, _box(kind, content)))


def _start_of_moov(file: BinaryIO) -> int:
    size = file.seek(0, os.SEEK_END)
    start = 0
    while True:
        file.seek(start)
        box = _box_at(file.read(_LONG_HEAD.size), 0)
        if start + box.length >= size:
            break
        start += box.length
    if box.kind != b"moov" or start + box.length != size:
        raise ValueError("it does not end with a moov box")
    return start


def _with_user_data(moov: bytes, added: bytes) -> bytes:
    """A moov box with one more box at the end of its user data."""
    content = bytearray(moov[_HEAD.size :])
    start = 0
    while start < len(content):
        box = _box_at(content, start)
        if box.kind == b"udta":
            end = start + box.length
            content[start:end] = _box(b"udta", bytes(content[start + _HEAD.size : end]) + added)
            break
        start += box.length
    else:
        content += _box(b"udta", added)
    return _box(b"moov", bytes(content))


def _box_at(data: bytes | bytearray, start: int) -> _Box:
    """The header of a box.

    Raises:
        ValueError: There is none, or it is shorter than itself.
    """
    if start + _HEAD.size > len(data):
        raise ValueError("one of its boxes is incomplete")
    length, kind = _HEAD.unpack_from(data, start)
    if length == _LONG and start + _LONG_HEAD.size <= len(data):
        length = _LONG_HEAD.unpack_from(data, start)[2]
    if length < _HEAD.size:
        raise ValueError(f"its box {kind!r} has no length")
    return _Box(kind, length)


def _box(kind: bytes, content: bytes) -> bytes:
    return _HEAD.pack(_HEAD.size + len(content), kind) + content

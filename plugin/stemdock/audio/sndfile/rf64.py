"""RF64, the form of WAV for files above 4 GB, and its conversion to plain WAV.

Format: EBU Tech 3306.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_WAV_LIMIT: Final = 2**32 - 2**16
"""Bytes that the 32-bit size fields of WAV can count, less some room for headers."""

_UNKNOWN: Final = 2**32 - 1


def fits_in_wav(size: int) -> bool:
    """Whether so many bytes of samples fit in a WAV file."""
    return size < _WAV_LIMIT


def with_sizes(head: bytes, size: int | None) -> bytes:
    """The beginning of a WAV or RF64 file, with the size of the whole: a plain WAV file for a pipe.

    Args:
        head: The header, and any bytes of samples.
        size: Bytes of all samples; None if unknown. The fields for sizes then have their largest value, which
            readers of pipes take for "up to the end".
    """
    changed = bytearray(head)
    (channel_size,) = struct.unpack_from("<H", head, head.index(b"fmt ") + 20)
    start = 12
    while True:
        name, chunk_size = struct.unpack_from("<4sI", head, start)
        if name == b"ds64":
            changed[start : start + 4] = b"JUNK"
        elif name == b"fact":
            length = _UNKNOWN if size is None else size // channel_size
            struct.pack_into("<I", changed, start + 8, length)
        elif name == b"data":
            break
        start += 8 + chunk_size + chunk_size % 2
    struct.pack_into("<I", changed, start + 4, _UNKNOWN if size is None else size)
    total = _UNKNOWN if size is None else start + size + size % 2
    struct.pack_into("<4sI", changed, 0, b"RIFF", total)
    return bytes(changed)


def become_wav_if_small(path: Path) -> None:
    """Turns a complete RF64 file into a WAV file, in place, if it is small enough.

    EBU Tech 3306 prepares for this: the ds64 chunk, which holds the sizes in 64 bits, becomes a JUNK
    chunk, which readers skip, and the sizes go to the fields that WAV has for them.

    Args:
        path: A file that libsndfile wrote.

    Raises:
        OSError: The file cannot be changed.
    """
    if not fits_in_wav(path.stat().st_size):
        return
    with path.open("r+b") as file:
        _, _, form, chunk, size, riff_size, data_size = struct.unpack("<4sI4s4sIQQ", file.read(36))
        assert (form, chunk) == (b"WAVE", b"ds64")  # noqa: S101  libsndfile's own layout
        file.seek(0)
        file.write(struct.pack("<4sI4s4s", b"RIFF", riff_size, form, b"JUNK"))
        file.seek(20 + size)
        name, size = struct.unpack("<4sI", file.read(8))
        while name != b"data":
            file.seek(size + size % 2, 1)
            name, size = struct.unpack("<4sI", file.read(8))
        file.seek(-4, 1)
        file.write(struct.pack("<I", data_size))

"""The sizes that WAV and RF64 files announce, compared with the size of the file.

Format: Microsoft's RIFF; EBU Tech 3306.
"""

from __future__ import annotations

import os
import struct
from typing import IO, Final

from stemdock.audio.inspection import Inspection
from stemdock.types import Damage

_CHUNK: Final = struct.Struct("<4sI")
_FORMAT_SIZE: Final = 16
_UNKNOWN: Final = 0x7FFF0000
"""Sizes from here on are those of programs that write to a pipe, and mean the rest of the file."""
_TOLERANCE: Final = 0.01
"""Seconds. Some programs count the header in the size of the samples."""


def inspect_wav(file: IO[bytes]) -> Inspection | None:
    """Compares the sizes; None if the file is not WAV or RF64."""
    size = os.fstat(file.fileno()).st_size
    head = file.read(12)
    if head[:4] not in {b"RIFF", b"RF64"} or head[8:] != b"WAVE":
        return None
    byte_rate = large = 0
    block_size = 1
    while len(chunk := file.read(_CHUNK.size)) == _CHUNK.size:
        name, length = _CHUNK.unpack(chunk)
        start = file.tell()
        if name == b"data":
            present = size - start
            return _inspection(length, present - present % block_size, byte_rate, large)
        content = file.read(min(length, 64))
        if name == b"fmt " and len(content) >= _FORMAT_SIZE:
            byte_rate = int.from_bytes(content[8:12], "little")
            block_size = max(1, int.from_bytes(content[12:14], "little"))
        elif name == b"ds64" and len(content) >= 16:  # noqa: PLR2004
            large = int.from_bytes(content[8:16], "little")
        file.seek(start + length + length % 2)
    return Inspection(intact=True)


def _inspection(announced: int, present: int, byte_rate: int, large: int) -> Inspection:
    if announced == 0xFFFFFFFF and large:  # noqa: PLR2004
        announced = large
    elif announced >= _UNKNOWN and announced > present:
        return Inspection(intact=True)
    if not announced and present > _CHUNK.size:
        # The recorder crashed before it wrote the size.
        return Inspection(intact=False)
    missing = (announced - present) / byte_rate if byte_rate else 0.0
    if missing <= _TOLERANCE:
        return Inspection(intact=True)
    return Inspection(intact=True, damage=(Damage(start=present / byte_rate, duration=missing, kind="end"),))

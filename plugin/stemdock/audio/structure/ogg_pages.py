"""The pages of an Ogg file (Vorbis, Opus, FLAC), with their checksums, numbers and positions.

Format: RFC 3533; RFC 7845 for Opus.
"""

from __future__ import annotations

import struct
import zlib
from typing import IO, Final

from stemdock.audio.structure.inspection import Inspection
from stemdock.types import Damage

_PAGE: Final = struct.Struct("<4sBBqIIIB")
"""Head of a page: OggS, version, flags, position, stream, number, checksum, number of segments."""
_CHECKSUM: Final = slice(22, 26)
_FIRST, _LAST = 2, 4
_OPUS_RATE: Final = 48000
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def inspect_ogg(file: IO[bytes]) -> Inspection | None:
    """Reads the heads of all pages; None if the file does not begin like Ogg."""
    stream: int | None = None
    sample_rate = skipped = position = 0
    expected = 0
    intact = ended = True
    is_cut = False
    while len(head := file.read(_PAGE.size)) == _PAGE.size:
        mark, _, flags, granule, serial, number, checksum, n_segments = _PAGE.unpack(head)
        if mark != b"OggS":
            intact = False
            break
        segments = file.read(n_segments)
        body = file.read(sum(segments))
        if stream is None:
            stream = serial
            sample_rate, skipped = _opening(body)
        elif ended or serial != stream or flags & _FIRST:
            # A further link, or a second stream beside the first.
            return Inspection(intact=False)
        if len(body) < sum(segments):
            is_cut = True
            break
        page = bytearray(head + segments + body)
        page[_CHECKSUM] = bytes(4)
        if number != expected or _checksum(page) != checksum:
            intact = False
            break
        expected = number + 1
        ended = bool(flags & _LAST)
        if granule >= 0:
            position = granule
    if stream is None:
        return None
    is_cut = is_cut or (intact and not ended)
    damage: tuple[Damage, ...] = ()
    if sample_rate and (is_cut or not intact):
        start = max(0, position - skipped) / sample_rate
        damage = (Damage(start=start, duration=0.0, kind="end" if is_cut else "invalid"),)
    return Inspection(
        intact=intact,
        total_length=position - skipped if intact and sample_rate else None,
        sample_rate=sample_rate,
        damage=damage,
    )


def _opening(body: bytes) -> tuple[int, int]:
    """The rate that positions count in, 0 if unknown, and the samples that are not heard."""
    if body.startswith(b"\x01vorbis") and len(body) >= 16:  # noqa: PLR2004
        return int.from_bytes(body[12:16], "little"), 0
    if body.startswith(b"OpusHead") and len(body) >= 12:  # noqa: PLR2004
        return _OPUS_RATE, int.from_bytes(body[10:12], "little")
    return 0, 0


def _checksum(page: bytes | bytearray) -> int:
    """Ogg's CRC-32, which has the polynomial of zlib's, but the bits in the other order and no inversion."""
    crc = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2)

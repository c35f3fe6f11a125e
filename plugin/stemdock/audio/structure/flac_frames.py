"""The frames of a FLAC file, followed from the first to the last by their numbers.

Format: RFC 9639.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Final

from stemdock.audio.structure.inspection import Inspection
from stemdock.audio.structure.tail_tags import before_tags
from stemdock.audio.structure.windows import Window
from stemdock.types import Damage

_SYNCS: Final = (b"\xff\xf8", b"\xff\xf9")
"""Of frames with a fixed and with a variable number of samples."""
_STREAMINFO: Final = slice(8, 42)
_MAX_HEADER: Final = 16
_PART_SIZE: Final = 1 << 20
_LAST_BLOCK: Final = 0x80
_BLOCK_LENGTHS: Final = {1: 192, 2: 576, 3: 1152, 4: 2304, 5: 4608} | {n: 256 << n - 8 for n in range(8, 16)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frames:
    """The frames up to the first break in their numbers."""

    length: int
    """Samples per channel."""
    last: int
    """Where the last one begins."""
    last_length: int
    """Its samples."""
    have_others: bool
    """Whether there are frames behind it that do not continue the numbers."""


def _crc_table() -> bytes:
    table = bytearray()
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc << 1 ^ (0x07 if crc & 0x80 else 0)) & 0xFF
        table.append(crc)
    return bytes(table)


_CRC8: Final = _crc_table()


def inspect_flac(file: IO[bytes]) -> Inspection | None:
    """Follows the numbers of the frames; None if the file does not begin like FLAC."""
    window = Window(file)
    info = window.read(0, _STREAMINFO.stop)[_STREAMINFO]
    if window.read(0, 4) != b"fLaC" or len(info) < _STREAMINFO.stop - _STREAMINFO.start:
        return None
    fields = int.from_bytes(info[10:18], "big")
    sample_rate, announced = fields >> 44, fields & (1 << 36) - 1
    frames = _followed(window, _first_frame(window), int.from_bytes(info[:2], "big"))
    length = frames.length
    damage: tuple[Damage, ...] = ()
    if sample_rate and announced > length:
        start, missing = length / sample_rate, (announced - length) / sample_rate
        damage = (Damage(start=start, duration=missing, kind="invalid"),)
    elif (
        sample_rate
        and not frames.have_others
        and before_tags(window, frames.last) - frames.last > _largest_frame(fields, frames)
    ):
        # Decoders ignore it, or take it for sound.
        damage = (Damage(start=length / sample_rate, duration=0.0, kind="invalid"),)
    return Inspection(
        intact=announced == length and not frames.have_others,
        total_length=length,
        sample_rate=sample_rate,
        damage=damage,
    )


def _largest_frame(fields: int, frames: _Frames) -> int:
    """The most bytes of the last frame: samples without compression, and some for headers."""
    n_channels, n_bits = (fields >> 41 & 7) + 1, (fields >> 36 & 31) + 1
    return n_channels * (frames.last_length * (n_bits + 1) // 8 + _MAX_HEADER) + 2 * _MAX_HEADER


def _first_frame(window: Window) -> int:
    """Where the frames begin, behind the blocks of metadata."""
    position = 4
    while len(head := window.read(position, 4)) == 4:  # noqa: PLR2004
        position += 4 + int.from_bytes(head[1:], "big")
        if head[0] & _LAST_BLOCK:
            break
    return position


def _followed(window: Window, position: int, usual_length: int) -> _Frames:
    """Follows the frames up to the first break in their numbers."""
    length = last_length = n_others = 0
    last = position
    # All frames of a file begin with the same two bytes.
    sync = window.read(position, 2)
    if sync not in _SYNCS:
        return _Frames(length=0, last=position, last_length=0, have_others=False)
    while part := window.read(position, _PART_SIZE):
        at_end = len(part) < _PART_SIZE
        # The last frame may be shorter than the longest header.
        data = part + bytes(_MAX_HEADER) if at_end else part
        found = data.find(sync)
        while 0 <= found <= len(data) - _MAX_HEADER:
            # Samples can look like a header, but they do not continue the numbers.
            frame = _frame(data[found : found + _MAX_HEADER], usual_length)
            if frame is not None and frame[0] == length:
                last, last_length = position + found, frame[1]
                length += last_length
                n_others = 0
            elif frame is not None:
                n_others += 1
            found = data.find(sync, found + 1)
        if at_end:
            break
        position += len(part) - _MAX_HEADER + 1
    # Samples can look like one header.
    return _Frames(length=length, last=last, last_length=last_length, have_others=n_others > 1)


def _frame(header: bytes, usual_length: int) -> tuple[int, int] | None:
    """The first sample of a frame and its length; None if the header is invalid."""
    code, rate_code, first = header[2] >> 4, header[2] & 15, header[4]
    n_bytes = 1 if first < 0x80 else 8 - (first ^ 0xFF).bit_length()  # noqa: PLR2004
    if code == 0 or rate_code == 15 or n_bytes == 0 or n_bytes > 7:  # noqa: PLR2004
        return None
    # As in UTF-8, the first byte says how many follow.
    number = first if n_bytes == 1 else first & (1 << 7 - n_bytes) - 1
    for byte in header[5 : 4 + n_bytes]:
        number = number << 6 | byte & 0x3F
    end = 4 + n_bytes
    if code in {6, 7}:
        size = code - 5
        length = int.from_bytes(header[end : end + size], "big") + 1
        end += size
    else:
        length = _BLOCK_LENGTHS[code]
    end += {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    crc = 0
    for byte in header[:end]:
        crc = _CRC8[crc ^ byte]
    if end >= len(header) or crc != header[end]:
        return None
    return (number if header[1] & 1 else number * usual_length), length

"""The header of an MPEG audio frame, and the Xing and LAME headers in the first frame.

Format: ISO 11172-3 and 13818-3; the Xing and LAME headers as LAME writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HEADER_SIZE: Final = 4
_BITRATES: Final = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Kilobits per second by version (2.5 counts as 2) and layer, for the indices 1 to 14."""
_SAMPLE_RATES: Final = (44100, 48000, 32000)
"""Hz of version 1; version 2 has half of them, version 2.5 a quarter."""
_RATE_DIVISORS: Final = {3: 1, 2: 2, 0: 4}
"""By the code of the version."""
_LAYERS: Final = {3: 1, 2: 2, 1: 3}
"""By the code of the layer."""
_MONO: Final = 3
_CHECKSUM_SIZE: Final = 2
_ALL_FIELDS: Final = 15
"""Flags of a Xing header with all optional fields."""
_DELAYS: Final = slice(141, 144)
"""Delay and padding, 12 bits each, in a Xing header with all fields."""
_DECODER_DELAY: Final = 529


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameHeader:
    """What the header of a frame says."""

    size: int
    """Bytes of the frame."""
    length: int
    """Samples per channel."""
    kind: tuple[int, int, bool]
    """Layer, sample rate in Hz, and whether it is mono: equal in all frames from one encoder."""
    xing_offset: int
    """Bytes from the frame to a Xing header, which takes the place of sound behind the side information."""
    side_info_offset: int
    """Bytes from the frame to the side information of layer III."""

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.kind[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class XingHeader:
    """What the first frame says about the others, in place of sound."""

    n_frames: int | None
    """Number of the other frames; None if it does not say."""
    trimmed_length: int
    """Samples at both ends of the decoded sound that are not part of it."""


def frame_header(data: bytes) -> FrameHeader | None:
    """Reads a header of four bytes; None if it is invalid, or does not say where the frame ends."""
    if len(data) < HEADER_SIZE or data[0] != 0xFF or data[1] < 0xE0:  # noqa: PLR2004  the sync word
        return None
    divisor, layer = _RATE_DIVISORS.get(data[1] >> 3 & 3), _LAYERS.get(data[1] >> 1 & 3)
    bitrate, rate = data[2] >> 4, data[2] >> 2 & 3
    if divisor is None or layer is None or not 1 <= bitrate <= 14 or rate == 3:  # noqa: PLR2004
        return None
    sample_rate = _SAMPLE_RATES[rate] // divisor
    length = {1: 384, 2: 1152, 3: 1152 if divisor == 1 else 576}[layer]
    slot = 4 if layer == 1 else 1
    bits = 1000 * _BITRATES[min(divisor, 2), layer][bitrate - 1] * length // 8 // slot // sample_rate
    mono = data[3] >> 6 == _MONO
    return FrameHeader(
        size=(bits + (data[2] >> 1 & 1)) * slot,
        length=length,
        kind=(layer, sample_rate, mono),
        xing_offset=HEADER_SIZE + ((17 if mono else 32) if divisor == 1 else (9 if mono else 17)),
        side_info_offset=HEADER_SIZE + (0 if data[1] & 1 else _CHECKSUM_SIZE),
    )


def xing_header(frame: bytes, header: FrameHeader) -> XingHeader | None:
    """Reads the Xing header of a frame; None if the frame contains sound."""
    data = frame[header.xing_offset :]
    if data[:4] not in {b"Xing", b"Info"}:
        return None
    fields = int.from_bytes(data[4:8], "big")
    delays = int.from_bytes(data[_DELAYS], "big") if fields & _ALL_FIELDS == _ALL_FIELDS else 0
    delay, padding = delays >> 12, delays & 0xFFF
    return XingHeader(
        n_frames=int.from_bytes(data[8:12], "big") if fields & 1 else None,
        trimmed_length=delay + max(_DECODER_DELAY, padding) if delays else 0,
    )

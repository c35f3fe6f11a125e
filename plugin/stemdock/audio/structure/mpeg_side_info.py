"""The side information of an mp3 frame, which says how the sound in it is coded.

Format: ISO 11172-3, 2.4.1.7, and ISO 13818-3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock.audio.structure.mpeg_headers import HEADER_SIZE

if TYPE_CHECKING:
    from stemdock.audio.structure.mpeg_headers import FrameHeader

_LAYER_3: Final = 3
_GRANULE_LENGTH: Final = 576
_MOST_PAIRS: Final = 288
"""Of values in a granule of 576."""
_BITS: Final = {2: 59, 1: 63}
"""Bits for a granule of one channel, by the granules in a frame."""
_PAIRS, _SWITCH = 12, {2: 33, 1: 38}
"""Bits before the number of pairs, and before the switch of windows, in these."""


def is_decodable(frame: bytes, header: FrameHeader) -> bool:
    """Whether the side information of a frame is possible. Decoders drop a frame in which it is not.

    Args:
        frame: The first bytes of the frame; at least up to `side_info_end`.
        header: Its header.
    """
    layer, _, mono = header.kind
    if layer != _LAYER_3:
        return True
    side_info = int.from_bytes(frame[header.side_info_offset : side_info_end(header)], "big")
    n_granules = header.length // _GRANULE_LENGTH
    n_bits = _BITS[n_granules]
    mask = (1 << n_bits) - 1
    # The granules are the end of the side information.
    for _ in range(n_granules * (1 if mono else 2)):
        granule = side_info & mask
        side_info >>= n_bits
        n_pairs = granule >> n_bits - _PAIRS - 9 & 0x1FF
        # A switch to another window, and its type, which must not be the usual one.
        window = granule >> n_bits - _SWITCH[n_granules] - 3 & 7
        if n_pairs > _MOST_PAIRS or window == 4:  # noqa: PLR2004
            return False
    return True


def side_info_end(header: FrameHeader) -> int:
    """Bytes from the frame to the end of its side information."""
    return header.xing_offset - HEADER_SIZE + header.side_info_offset

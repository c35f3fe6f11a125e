"""Writing PNG pictures with a palette; spectrograms need no more, so no imaging library is used.

References:
    Portable Network Graphics (PNG) Specification, second edition (ISO/IEC 15948), sections 5 and 11.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEADER: Final = struct.Struct(">IIBBBBB")
"""Width, height, bit depth, colour type, compression, filters, interlacing."""
_INDEXED: Final = 3
"""The colour type for pixels that are indices into a palette."""


def indexed_png(pixels: NDArray[np.uint8], palette: bytes) -> bytes:
    """A PNG file.

    Args:
        pixels: `(height, width)`, indices into the palette, from the top row down.
        palette: Red, green and blue of each colour, 8 bits each, for at most 256 colours.
    """
    height, width = pixels.shape
    # Each row begins with the number of its filter. Indices compress best without a filter (0).
    rows = np.pad(pixels, ((0, 0), (1, 0)))
    header = _HEADER.pack(width, height, 8, _INDEXED, 0, 0, 0)
    data = zlib.compress(rows.tobytes(), 9)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", data), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

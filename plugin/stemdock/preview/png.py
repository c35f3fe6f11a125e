"""PNG pictures with a palette: all that a spectrogram needs, in place of a library of pictures.

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
"""The colour type whose pixels point into a palette."""


def indexed_png(pixels: NDArray[np.uint8], palette: bytes) -> bytes:
    """A PNG file.

    Args:
        pixels: `(height, width)`, each an index into the palette; the top row is the first.
        palette: Red, green and blue of each colour, 8 bits each; at most 256 colours.
    """
    height, width = pixels.shape
    # Each row begins with the number of its filter; for indices no filter is the best one.
    rows = np.pad(pixels, ((0, 0), (1, 0)))
    header = _HEADER.pack(width, height, 8, _INDEXED, 0, 0, 0)
    data = zlib.compress(rows.tobytes(), 9)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", data), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

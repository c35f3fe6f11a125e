"""Where the samples of WAV, RF64, Wave64, AIFF, CAF and AU files are, as their headers announce.

Formats: see `stemdock.audio.structure.chunks`; EBU Tech 3306 for RF64; Apple's AIFF-C; Sun's audio file
format.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock.audio.structure.chunks import AIFF, CAF, RIFF, WAVE64

if TYPE_CHECKING:
    from stemdock.audio.structure.chunks import ChunkLayout
    from stemdock.audio.structure.windows import Window

_PCM_TAGS: Final = {1, 3, 6, 7, 0xFFFE}
"""Integer, floating point, A-law, µ-law, extensible."""
_OPEN_32: Final = 0x7FFF0000
_OPEN_64: Final = 1 << 62
"""Sizes from here on are those of programs that write to a pipe, and mean the rest of the file."""
_FORMAT: Final = struct.Struct("<HHIIHH")
_AIFF_PCM: Final = {
    b"",
    b"NONE",
    b"sowt",
    b"twos",
    b"raw ",
    b"in24",
    b"in32",
    b"fl32",
    b"FL32",
    b"fl64",
    b"FL64",
}
_AIFF_BITS: Final = {b"ulaw": 8, b"ULAW": 8, b"alaw": 8, b"ALAW": 8, b"ima4": 34 * 8 / 64}
"""Bits of a sample, by the type of compression."""
_AU_BITS: Final = {1: 8, 2: 8, 3: 16, 4: 24, 5: 32, 6: 32, 7: 64, 23: 4, 25: 3, 26: 5, 27: 8}
"""Bits of a sample, by the code of the encoding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSection:
    """The part of a file that contains the samples."""

    start: int
    """First byte."""
    announced: int | None
    """Bytes; None if the header leaves them open, which means the rest of the file."""
    sample_rate: int = 0
    """Hz; 0 if unknown."""
    block_size: int = 0
    """Bytes of a sample of all channels; 0 if the samples are compressed."""
    byte_rate: float = 0.0
    """Bytes per second; 0 if unknown."""
    layout: ChunkLayout | None = None
    """Of the chunks that may follow; None if samples fill the file."""


def wav_section(window: Window) -> SampleSection | None:
    """Of WAV and RF64; None if there is none."""
    if window.read(8, 4) != b"WAVE":
        return None
    form = b""
    large = 0
    for chunk in RIFF.chunks(window, 12):
        if chunk.name == b"fmt ":
            form = window.read(chunk.start, _FORMAT.size)
        elif chunk.name == b"ds64" and chunk.size >= 16:  # noqa: PLR2004
            large = int.from_bytes(window.read(chunk.start + 8, 8), "little")
        elif chunk.name == b"data":
            is_large = chunk.size == 0xFFFFFFFF and large > 0  # noqa: PLR2004
            announced = large if is_large else _size(window, chunk.start, chunk.size, _OPEN_32)
            return _by_format(form, chunk.start, announced, RIFF)
    return None


def wave64_section(window: Window) -> SampleSection | None:
    """Of Wave64; None if there is none."""
    if window.read(24, 4) != b"wave":
        return None
    form = b""
    for chunk in WAVE64.chunks(window, 40):
        if chunk.name == b"fmt ":
            form = window.read(chunk.start, _FORMAT.size)
        elif chunk.name == b"data":
            announced = _size(window, chunk.start, chunk.size, _OPEN_64)
            return _by_format(form, chunk.start, announced, WAVE64)
    return None


def _size(window: Window, start: int, size: int, limit: int) -> int | None:
    """An announced size; None if it is the mark of an unknown one."""
    return None if size >= limit and start + size > window.file_size else size


def _by_format(form: bytes, start: int, announced: int | None, layout: ChunkLayout) -> SampleSection:
    if len(form) < _FORMAT.size:
        return SampleSection(start=start, announced=announced, layout=layout)
    tag, _, sample_rate, byte_rate, block_size, _ = _FORMAT.unpack(form)
    is_pcm = tag in _PCM_TAGS
    return SampleSection(
        start=start,
        announced=announced,
        sample_rate=sample_rate,
        block_size=block_size if is_pcm else 0,
        # Sloppy programs get this field wrong, and no reader of PCM needs it.
        byte_rate=block_size * sample_rate if is_pcm else byte_rate,
        layout=layout,
    )


def aiff_section(window: Window) -> SampleSection | None:
    """Of AIFF and AIFF-C; None if there is none."""
    if window.read(8, 4) not in {b"AIFF", b"AIFC"}:
        return None
    sample_rate, block_size = 0, 0.0
    for chunk in AIFF.chunks(window, 12):
        if chunk.name == b"COMM":
            sample_rate, block_size = _common(window.read(chunk.start, min(chunk.size, 22)))
        elif chunk.name == b"SSND":
            offset = int.from_bytes(window.read(chunk.start, 4), "big")
            size = _size(window, chunk.start, chunk.size, _OPEN_32)
            return SampleSection(
                start=chunk.start + 8 + offset,
                announced=None if size is None else size - 8 - offset,
                sample_rate=sample_rate,
                block_size=int(block_size) if block_size.is_integer() else 0,
                byte_rate=block_size * sample_rate,
                layout=AIFF,
            )
    return None


def _common(content: bytes) -> tuple[int, float]:
    """The rate, and the bytes of a sample of all channels; 0 if unknown."""
    if len(content) < 18:  # noqa: PLR2004
        return 0, 0.0
    n_channels, _, n_bits = struct.unpack(">HIH", content[:8])
    # An 80-bit floating-point number.
    exponent, mantissa = int.from_bytes(content[8:10], "big"), int.from_bytes(content[10:18], "big")
    shift = 16383 + 63 - exponent
    sample_rate = mantissa >> shift if 0 <= shift < 64 else 0  # noqa: PLR2004
    kind = content[18:22]
    bits = -(-n_bits // 8) * 8 if kind in _AIFF_PCM else _AIFF_BITS.get(kind, 0)
    return sample_rate, n_channels * bits / 8


def caf_section(window: Window) -> SampleSection | None:
    """Of CAF; None if there is none."""
    rate = block_size = packet_length = 0.0
    for chunk in CAF.chunks(window, 8):
        if chunk.name == b"desc" and len(desc := window.read(chunk.start, 24)) == 24:  # noqa: PLR2004
            rate, _, _, block_size, packet_length = struct.unpack(">d4sIII", desc)
        elif chunk.name == b"data":
            size = _size(window, chunk.start, chunk.size, _OPEN_64)
            is_pcm = packet_length == 1 and 0 < rate < 2**32
            return SampleSection(
                start=chunk.start + 4,
                announced=None if size in {None, -1} else chunk.size - 4,
                sample_rate=round(rate) if is_pcm else 0,
                block_size=int(block_size) if is_pcm else 0,
                byte_rate=block_size * rate if is_pcm else 0.0,
                layout=CAF,
            )
    return None


def au_section(window: Window) -> SampleSection | None:
    """Of AU; None if its head is not complete."""
    head = window.read(0, 24)
    if len(head) < 24:  # noqa: PLR2004
        return None
    order = "<" if head.startswith(b"dns.") else ">"
    start, announced, encoding, sample_rate, n_channels = struct.unpack(f"{order}IIIII", head[4:])
    n_bits = _AU_BITS.get(encoding, 0) * n_channels
    return SampleSection(
        start=start,
        announced=_size(window, start, announced, _OPEN_32),
        sample_rate=sample_rate,
        block_size=n_bits // 8 if n_bits % 8 == 0 else 0,
        byte_rate=n_bits * sample_rate / 8,
    )

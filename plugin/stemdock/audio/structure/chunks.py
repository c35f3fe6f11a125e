"""The chunks of RIFF, AIFF, Wave64 and CAF files: a name, a size, and so many bytes.

Formats: Microsoft's RIFF; Electronic Arts' IFF; Sony Pictures Digital's Sony Wave64; Apple's Core Audio
Format Specification 1.0.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock.audio.structure.windows import Window

_GUID_ENDS: Final = (
    bytes.fromhex("2e91cf11a5d628db04c10000"),
    bytes.fromhex("f3acd3118cd100c04f8edb8a"),
)
"""The last bytes of the names of Wave64; the first four are those of the chunk in RIFF."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A part of a file."""

    name: bytes
    """Four characters."""
    start: int
    """Where its content begins, in bytes from the start of the file."""
    size: int
    """Bytes of the content, as announced; may be negative or beyond the end of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkLayout:
    """How a format writes its chunks."""

    head: struct.Struct
    """Name and size."""
    counted: int = 0
    """Bytes of the head that the size includes."""
    alignment: int = 1
    """Chunks begin at multiples of this many bytes."""

    def chunk_at(self, window: Window, position: int) -> Chunk | None:
        """The chunk whose head is at a position; None if no head can be there."""
        head = window.read(position, self.head.size)
        if len(head) < self.head.size:
            return None
        name, size = self.head.unpack(head)
        if not name[:4].isascii() or not name[:4].decode("ascii").isprintable():
            return None
        if len(name) > 4 and not name.endswith(_GUID_ENDS):  # noqa: PLR2004
            return None
        return Chunk(name=name[:4], start=position + self.head.size, size=size - self.counted)

    def chunks(self, window: Window, position: int) -> Iterator[Chunk]:
        """The chunks from a position on, up to the end of the file or a place where none can begin."""
        while (chunk := self.chunk_at(window, position)) is not None:
            yield chunk
            position = self.aligned(chunk.start + max(0, chunk.size))

    def aligned(self, position: int) -> int:
        """Where a chunk can begin, at a position or behind it."""
        return -(-position // self.alignment) * self.alignment

    def chunks_fill(self, window: Window, position: int) -> bool:
        """Whether there are only whole chunks from a position to the end of the file."""
        end = position
        for chunk in self.chunks(window, position):
            if chunk.size < 0:
                return False
            end = chunk.start + chunk.size
        # Some programs do not count the last byte of a chunk that fills it up.
        return position < end <= window.file_size <= self.aligned(end) + self.alignment


RIFF: Final = ChunkLayout(head=struct.Struct("<4sI"), alignment=2)
AIFF: Final = ChunkLayout(head=struct.Struct(">4sI"), alignment=2)
WAVE64: Final = ChunkLayout(head=struct.Struct("<16sq"), counted=24, alignment=8)
CAF: Final = ChunkLayout(head=struct.Struct(">4sq"))

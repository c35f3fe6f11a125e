"""A strict reader of MPEG-4 boxes (ISO/IEC 14496-12), independent of the product's own."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta", b"edts", b"dinf"}


@dataclass
class Box:
    kind: bytes
    start: int
    """Of its content in the file."""
    content: bytes
    children: list[Box] = field(default_factory=list)

    def all(self, *path: bytes) -> Iterator[Box]:
        """Every box with this path below this one."""
        if not path:
            yield self
            return
        for child in self.children:
            if child.kind == path[0]:
                yield from child.all(*path[1:])

    def only(self, *path: bytes) -> Box:
        (box,) = self.all(*path)
        return box


def parsed(data: bytes, start: int = 0, end: int | None = None) -> list[Box]:
    """The boxes, which must fill their place to the byte."""
    end = len(data) if end is None else end
    boxes = []
    while start < end:
        assert end - start >= 8, "a box without room for its header"
        length, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        assert head <= length <= end - start, (kind, length, end - start)
        box = Box(kind, start + head, data[start + head : start + length])
        if kind in _PARENTS:
            box.children = parsed(data, start + head, start + length)
        boxes.append(box)
        start += length
    return boxes


def file_tree(data: bytes) -> Box:
    return Box(b"", 0, data, parsed(data))


def is_enabled(trak: Box) -> bool:
    return bool(trak.only(b"tkhd").content[3] & 1)


def chunk_offsets(trak: Box) -> list[int]:
    """Where the sound of a track is in the file."""
    table = trak.only(b"mdia", b"minf", b"stbl")
    for kind, form in ((b"stco", "I"), (b"co64", "Q")):
        for box in table.all(kind):
            (count,) = struct.unpack_from(">I", box.content, 4)
            return list(struct.unpack_from(f">{count}{form}", box.content, 8))
    raise AssertionError("no table of chunks")


def edit(trak: Box) -> tuple[int, int]:
    """Duration (in the movie's units) and first sample that is played."""
    (count, duration, first) = struct.unpack_from(">IIi", trak.only(b"edts", b"elst").content, 4)
    assert count == 1
    return duration, first

"""The frames of an MPEG audio file (mp3, mp2), counted by their headers.

Format of the tags before them: ID3v2 (id3.org).
"""

from __future__ import annotations

import re
from functools import cache
from typing import IO, Final

from stemdock.audio.damaged_places import add_damage
from stemdock.audio.structure.inspection import Inspection
from stemdock.audio.structure.mpeg_headers import HEADER_SIZE, FrameHeader, frame_header, xing_header
from stemdock.audio.structure.mpeg_side_info import is_decodable, side_info_end
from stemdock.audio.structure.tail_tags import before_tags
from stemdock.audio.structure.windows import Window
from stemdock.types import Damage

_SYNC: Final = re.compile(rb"\xff[\xe2-\xff]")
_SEARCH_SIZE: Final = 1 << 16
_ID3_HEAD: Final = 10
_FOOTER_FLAG: Final = 0x10


def inspect_mpeg(file: IO[bytes]) -> Inspection | None:
    """Counts the frames; None if the file does not begin with a tag or a frame."""
    return _Counter(Window(file)).inspection()


class _Counter:
    """Goes through the frames of one file."""

    def __init__(self, window: Window) -> None:
        self._window = window
        # Frames of one file have few different headers.
        self._header = cache(frame_header)

    def inspection(self) -> Inspection | None:
        """The inspection of the file."""
        start = _after_tags(self._window)
        end = before_tags(self._window, start)
        first = self._header_at(start)
        if first is None:
            return Inspection(intact=False) if start else None
        if start + first.size < end and not self._continues(start, first):
            return Inspection(intact=False)
        xing = xing_header(self._window.read(start, first.size), first)
        position = start + first.size if xing else start
        rate = first.sample_rate
        length = n_frames = 0
        uniform = unbroken = True
        damage: list[Damage] = []
        while position < end:
            header = self._header_at(position)
            if header is None or position + header.size > end:
                add_damage(damage, Damage(start=length / rate, duration=0.0, kind="invalid"))
                unbroken = False
                position = self._next_frame(position + 1, end)
                continue
            if not is_decodable(self._window.read(position, side_info_end(header)), header):
                lost = header.length / rate
                add_damage(damage, Damage(start=length / rate, duration=lost, kind="invalid"))
            uniform = uniform and header.kind == first.kind
            length += header.length
            n_frames += 1
            position += header.size
        announced = xing.n_frames if xing else None
        if announced is not None and n_frames < announced:
            missing = (announced - n_frames) * first.length / rate
            damage.append(Damage(start=length / rate, duration=missing, kind="end"))
        return Inspection(
            intact=uniform and not damage and announced in {None, n_frames},
            total_length=max(0, length - (xing.trimmed_length if xing else 0)),
            sample_rate=rate,
            damage=tuple(damage),
            has_times=uniform and unbroken,
        )

    def _header_at(self, position: int) -> FrameHeader | None:
        return self._header(self._window.read(position, HEADER_SIZE))

    def _continues(self, position: int, header: FrameHeader) -> bool:
        """Whether another frame of the same kind follows."""
        following = self._header_at(position + header.size)
        return following is not None and following.kind == header.kind

    def _next_frame(self, position: int, end: int) -> int:
        """Where the next two frames in a row, or the last frame, begin; `end` if there are none."""
        while position < end:
            part = self._window.read(position, min(_SEARCH_SIZE, end - position))
            for match in _SYNC.finditer(part):
                found = position + match.start()
                header = self._header_at(found)
                if header and (found + header.size == end or self._continues(found, header)):
                    return found
            # A sync word may lie across the border of two parts.
            position += max(1, len(part) - 1)
        return end


def _after_tags(window: Window) -> int:
    """Where the frames begin, behind ID3v2 tags and zeros."""
    position = 0
    while (head := window.read(position, _ID3_HEAD)).startswith(b"ID3") and len(head) == _ID3_HEAD:
        size = 0
        for byte in head[6:]:
            size = size << 7 | byte & 0x7F
        position += _ID3_HEAD + size + (_ID3_HEAD if head[5] & _FOOTER_FLAG else 0)
    while part := window.read(position, _SEARCH_SIZE):
        n_zeros = len(part) - len(part.lstrip(b"\0"))
        position += n_zeros
        if n_zeros < len(part):
            break
    return position

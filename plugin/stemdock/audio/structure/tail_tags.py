"""Tags at the end of an audio file: ID3v1, APEv2, Lyrics3v2."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stemdock.audio.structure.windows import Window


def before_tags(window: Window, start: int) -> int:
    """Where the sound ends, at `start` or behind it, and the tags begin."""
    end = window.file_size
    while end > start:
        size = _tag_size(window.read(max(start, end - 227), min(227, end - start)))
        if not size:
            break
        end -= size
    return max(start, end)


def _tag_size(tail: bytes) -> int:
    """The size of the tag at the end of some bytes; 0 if there is none."""
    if tail[-128:].startswith(b"TAG") and len(tail) >= 128:  # noqa: PLR2004
        return 128
    if tail.startswith(b"TAG+"):
        return 227
    if tail[-32:].startswith(b"APETAGEX"):
        has_head = tail[-9] & 0x80
        return int.from_bytes(tail[-20:-16], "little") + (32 if has_head else 0)
    if tail.endswith(b"LYRICS200") and tail[-15:-9].isdigit():
        return 15 + int(tail[-15:-9])
    return 0

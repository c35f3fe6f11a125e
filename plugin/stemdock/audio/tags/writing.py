"""Tags that the encoders do not write: all of mp3's, and covers.

Tags come before the audio, so a finished file is copied to a new one with the tags in it, which
then replaces the first.

Formats: ID3v2.3.0 (id3.org), and RFC 9639, section 8, for FLAC.
"""

from __future__ import annotations

import shutil
import struct
from typing import IO, TYPE_CHECKING, Final

from stemdock.audio.ffmpeg.encoding import copy_with_cover
from stemdock.lib.atomic import atomic_file

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock.output.tags import Cover, Tags

_ID3_FRAMES: Final = {
    "title": b"TIT2", "artist": b"TPE1", "album": b"TALB", "tracknumber": b"TRCK", "date": b"TYER",
    "genre": b"TCON",
}  # fmt: skip
_MAX_ID3: Final = 2**28 - 1
"""Bytes: the size field of a tag has 28 bits."""
_UTF16: Final = b"\x01"
_FRONT_COVER: Final = 3
"""Picture type, the same in ID3 and FLAC."""
_PICTURE_BLOCK: Final = 6
_MAX_FLAC_BLOCK: Final = 2**24 - 1
"""Bytes: the size field of a FLAC block has 24 bits."""


def add_tags(path: Path, codec: str, tags: Tags) -> None:
    """Adds the tags that the encoder did not write to a finished file.

    Args:
        path: The file; an error leaves it as it is.
        codec: Its codec.
        tags: All tags of the song.

    Raises:
        OSError: The file cannot be rewritten, or (`OutputError`) ffmpeg cannot read the cover.
        ValueError: The cover is too large for the format.
    """
    head = _id3(tags) if codec == "mp3" else b""
    if not head and (tags.cover is None or codec not in {"flac", "m4a", "alac"}):
        return
    with atomic_file(path) as copy:
        if tags.cover is not None and codec in {"m4a", "alac"}:
            copy.unlink()
            copy_with_cover(path, tags.cover, copy)
        else:
            with path.open("rb") as source, copy.open("wb") as target:
                if tags.cover is not None and codec == "flac":
                    _insert_picture(source, target, tags.cover)
                else:
                    target.write(head)
                    shutil.copyfileobj(source, target)


def _id3(tags: Tags) -> bytes:
    """An ID3v2.3 tag; empty if there are no tags."""
    frames = b"".join(
        # Version 2.3 has room for the year only.
        _id3_frame(frame, _UTF16 + (text[:4] if name == "date" else text).encode("utf-16"))
        for name, frame in _ID3_FRAMES.items()
        if (text := getattr(tags, name))
    )
    if tags.comment:
        frames += _id3_frame(b"COMM", _UTF16 + b"eng" + "\0".encode("utf-16") + tags.comment.encode("utf-16"))
    if tags.cover:
        head = b"\0" + tags.cover.mime_type.encode("latin-1") + bytes([0, _FRONT_COVER, 0])
        frames += _id3_frame(b"APIC", head + tags.cover.data)
    if not frames:
        return b""
    if len(frames) > _MAX_ID3:
        raise ValueError(f"the tags have {len(frames)} bytes, and mp3 allows {_MAX_ID3}")
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3" + bytes([3, 0, 0]) + size + frames


def _id3_frame(name: bytes, content: bytes) -> bytes:
    return struct.pack(">4sIH", name, len(content), 0) + content


def _insert_picture(source: IO[bytes], target: IO[bytes], cover: Cover) -> None:
    """Copies a FLAC file and inserts a picture after its first block, which is always STREAMINFO."""
    mime_type = cover.mime_type.encode("ascii")
    # Width, height, depth and number of colours are 0, which means unknown.
    picture = struct.pack(">II", _FRONT_COVER, len(mime_type)) + mime_type
    picture += struct.pack(">IIIIII", 0, 0, 0, 0, 0, len(cover.data)) + cover.data
    if len(picture) > _MAX_FLAC_BLOCK:
        raise ValueError(f"the cover has {len(cover.data)} bytes, and FLAC allows {_MAX_FLAC_BLOCK}")
    head = source.read(8)
    # The highest bit of a block's type marks the last block. STREAMINFO never has it here, because
    # libsndfile always writes a comment block after it.
    streaminfo = source.read(int.from_bytes(head[5:8], "big"))
    target.write(head + streaminfo)
    target.write(bytes([_PICTURE_BLOCK]) + len(picture).to_bytes(3, "big") + picture)
    shutil.copyfileobj(source, target)

"""Tags that the encoders do not write themselves: those of mp3, and covers.

A finished file is copied to one with the tags in it, which then takes its place, for tags stand
before the audio.

Formats: ID3v2.3.0 (id3.org), and RFC 9639, section 8, for FLAC.
"""

from __future__ import annotations

import shutil
import struct
from typing import IO, TYPE_CHECKING, Final

from stemdock.audio.ffmpeg_encoding import with_cover

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock.output.tags import Cover, Tags

_ID3_FRAMES: Final = {
    "title": b"TIT2", "artist": b"TPE1", "album": b"TALB", "tracknumber": b"TRCK", "date": b"TYER",
    "genre": b"TCON",
}  # fmt: skip
_MAX_ID3: Final = 2**28 - 1
"""Bytes: the size of a tag has 28 bits."""
_UTF16: Final = b"\x01"
_FRONT_COVER: Final = 3
"""Type of a picture, in ID3 and FLAC alike."""
_PICTURE_BLOCK: Final = 6
_MAX_FLAC_BLOCK: Final = 2**24 - 1
"""Bytes: the sizes of FLAC's blocks have 24 bits."""


def add_tags(path: Path, codec: str, tags: Tags) -> None:
    """Adds to a finished file what its encoder left out.

    Args:
        path: The file; it stays as it is if anything goes wrong.
        codec: Its codec.
        tags: All tags.

    Raises:
        OSError: The file cannot be rewritten, or (`OutputError`) ffmpeg does not take the cover.
        ValueError: The cover is too large for the format.
    """
    copy = path.with_name(f"{path.name}.tagged")
    if codec == "mp3":
        if tag := _id3(tags):
            with path.open("rb") as source, copy.open("wb") as target:
                target.write(tag)
                shutil.copyfileobj(source, target)
            copy.replace(path)
    elif tags.cover is not None and codec == "flac":
        with path.open("rb") as source, copy.open("wb") as target:
            _insert_picture(source, target, tags.cover)
        copy.replace(path)
    elif tags.cover is not None and codec == "m4a":
        with_cover(path, tags.cover, copy)
        copy.replace(path)


def _id3(tags: Tags) -> bytes:
    """An ID3v2.3 tag, or nothing if there is nothing to say."""
    frames = b"".join(
        # A year is all that version 2.3 has room for.
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
        raise ValueError(f"tags of {len(frames)} bytes are too large for mp3")
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3" + bytes([3, 0, 0]) + size + frames


def _id3_frame(name: bytes, content: bytes) -> bytes:
    return struct.pack(">4sIH", name, len(content), 0) + content


def _insert_picture(source: IO[bytes], target: IO[bytes], cover: Cover) -> None:
    """Copies a FLAC file with a picture behind its first block, which has to be STREAMINFO."""
    mime_type = cover.mime_type.encode("ascii")
    # Width, height, depth and number of colours are 0: not said.
    picture = struct.pack(">II", _FRONT_COVER, len(mime_type)) + mime_type
    picture += struct.pack(">IIIIII", 0, 0, 0, 0, 0, len(cover.data)) + cover.data
    if len(picture) > _MAX_FLAC_BLOCK:
        raise ValueError(f"a cover of {len(cover.data)} bytes is too large for FLAC")
    head = source.read(8)
    # The highest bit of a block's type says that it is the last one: never the case with libsndfile,
    # which always writes a comment behind.
    streaminfo = source.read(int.from_bytes(head[5:8], "big"))
    target.write(head + streaminfo)
    target.write(bytes([_PICTURE_BLOCK]) + len(picture).to_bytes(3, "big") + picture)
    shutil.copyfileobj(source, target)

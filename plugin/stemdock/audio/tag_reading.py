"""Reading of tags: the only module that imports tinytag."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from tinytag import TinyTag, UnsupportedFormatError

from stemdock.output.tags import Cover, Tags

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PICTURES: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
"""Type of the pictures that players display, by their first bytes."""


class UnreadableTagsError(Exception):
    """The tags are damaged; `str(error)` describes the damage."""


def read_tags(path: Path) -> Tags:
    """Reads the tags of a song.

    Args:
        path: An audio file. Formats that tinytag does not support count as files without tags.

    Raises:
        UnreadableTagsError: The tags are damaged.
    """
    try:
        found = TinyTag.get(os.fspath(path), duration=False, image=True)
    except UnsupportedFormatError:
        return Tags()
    # Damaged or malicious files can raise errors of any type inside tinytag.
    except Exception as error:
        raise UnreadableTagsError(str(error) or type(error).__name__) from error
    image = found.images.any
    return Tags(
        title=_text(found.title),
        artist=_text(found.artist),
        album=_text(found.album),
        tracknumber="" if found.track is None else str(found.track),
        date=_text(found.year),
        genre=_text(found.genre),
        comment=_text(found.comment) or _first(found.other, "comment", "_comment"),
        cover=_cover(image.data) if image is not None else None,
    )


def _first(tags: Mapping[str, list[str]], *names: str) -> str:
    """The first text of the first of these tags that has one.

    ffmpeg and many taggers write the comment of an mp3 to a tag of their own (TXXX) instead of COMM.
    """
    return next((text for name in names for text in map(_text, tags.get(name, ())) if text), "")


def _text(value: object) -> str:
    """The text without control characters other than line breaks; empty if the value is not a text."""
    if not isinstance(value, str):
        return ""
    return "".join(char for char in value if char.isprintable() or char == "\n").strip()


def _cover(data: bytes) -> Cover | None:
    for start, mime_type in _PICTURES.items():
        if data.startswith(start):
            return Cover(mime_type=mime_type, data=data)
    return None

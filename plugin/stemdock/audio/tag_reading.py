"""Reading of tags: the only module that knows tinytag."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from tinytag import TinyTag, UnsupportedFormatError

from stemdock.output.tags import Cover, Tags

if TYPE_CHECKING:
    from pathlib import Path

_PICTURES: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
"""First bytes and type of the pictures that players show."""


class UnreadableTagsError(Exception):
    """The tags are damaged; `str(error)` says how."""


def read_tags(path: Path) -> Tags:
    """The tags of a song.

    Args:
        path: An audio file. One of a kind that tinytag does not know has no tags.

    Raises:
        UnreadableTagsError: They are damaged.
    """
    try:
        found = TinyTag.get(os.fspath(path), duration=False, image=True)
    except UnsupportedFormatError:
        return Tags()
    # tinytag works on bytes that anybody may have made, and not every slip of it has a type of its own.
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
        comment=_text(found.comment),
        cover=_cover(image.data) if image is not None else None,
    )


def _text(value: object) -> str:
    """One line or more without control characters; what is no text at all becomes empty."""
    if not isinstance(value, str):
        return ""
    return "".join(char for char in value if char.isprintable() or char == "\n").strip()


def _cover(data: bytes) -> Cover | None:
    for start, mime_type in _PICTURES.items():
        if data.startswith(start):
            return Cover(mime_type=mime_type, data=data)
    return None

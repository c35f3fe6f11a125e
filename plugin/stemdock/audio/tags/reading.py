"""Reading of tags: the only module that imports tinytag."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from tinytag import TinyTag, UnsupportedFormatError

from stemdock.audio.abandoning import abandonable
from stemdock.audio.native_files import open_regular_file
from stemdock.output.tags import Cover, Tags

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from threading import Event

_PICTURES: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
"""Type of the pictures that players display, by their first bytes."""


_MAX_BYTES: Final = 64 << 20
"""Bytes that tinytag may read. The largest covers have a few megabytes."""
_MAX_READS: Final = 20_000
"""A header that points to itself would be read forever."""


class UnreadableTagsError(Exception):
    """The tags are damaged; `str(error)` describes the damage."""


def read_tags(path: Path, cancel: Event | None = None) -> Tags:
    """Reads the tags of a song.

    Args:
        path: An audio file. Formats that tinytag does not support count as files without tags.
        cancel: Set it from another thread to stop reading within half a second, even if reading hangs.

    Raises:
        UnreadableTagsError: The tags are damaged, or too large.
        OSError: The system cannot open or read the file, perhaps only now.
        CancelledError: `cancel` was set.
    """
    with abandonable(nullcontext(), cancel) as (_, call):
        tags: Tags = call(lambda: _read(path))
        return tags


def _read(path: Path) -> Tags:
    with open_regular_file(path) as file:
        limited = _LimitedFile(file)
        try:
            found = TinyTag.get(
                os.fspath(path), file_obj=cast("BinaryIO", limited), duration=False, image=True
            )
        except UnsupportedFormatError:
            return Tags()
        # Damaged or malicious files can raise errors of any type inside tinytag.
        except Exception as error:
            if limited.fault:
                raise limited.fault from None
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


class _LimitedFile:
    """A file that tinytag reads, with an end to what a damaged or malicious header can make it read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._n_reads = self._n_bytes = 0
        self.fault: OSError | None = None
        """Of the system, which says nothing about the tags."""

    def read(self, size: int = -1) -> bytes:
        """Reads up to `size` bytes.

        Raises:
            ValueError: It is too much, or too often.
            OSError: The system cannot read now; `fault` from then on.
        """
        left = _MAX_BYTES - self._n_bytes + 1
        try:
            data = self._file.read(left if size < 0 else min(size, left))
        except OSError as error:
            self.fault = error
            raise
        self._n_reads += 1
        self._n_bytes += len(data)
        if self._n_bytes > _MAX_BYTES or self._n_reads > _MAX_READS:
            raise ValueError(f"they have more than {_MAX_BYTES >> 20} MiB or {_MAX_READS} parts")
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

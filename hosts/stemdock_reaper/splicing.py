"""Adds stems to an existing REAPER project without changing any other byte.

A project is text: a line that starts with `<` opens a block, a line `>` closes it. The tracks are inserted
into the bytes, because parsing and writing a project loses everything that the parser does not know.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from stemdock_reaper.errors import ProjectFileError
from stemdock_reaper.keyboard import split_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TRACK_LEVEL: Final = 1


def splice(project: bytes, path: Path, tracks: bytes, after_track: int | None) -> bytes:
    """Inserts tracks into a project; every other byte stays.

    Args:
        project: The project's content.
        path: The project's path, for messages.
        tracks: Text of whole tracks that opens and closes its own folders.
        after_track: Number of the track above the new ones, from 1; 0 to insert them at the top, None at
            the bottom.

    Raises:
        ProjectFileError: The file is not a REAPER project, is damaged, or has no such track.
    """
    ends = _track_ends(project, path)
    if after_track is None:
        place = ends[-1]
    elif 0 <= after_track < len(ends):
        place = ends[after_track]
    else:
        raise ProjectFileError(
            path, f"has no track {after_track}", remedy=f"Choose a number from 0 to {len(ends) - 1}."
        )
    return project[:place] + tracks + project[place:]


def line_end(project: bytes) -> bytes:
    """The line end that a project uses."""
    return b"\r\n" if b"\r\n" in project else b"\n"


def _track_ends(project: bytes, path: Path) -> list[int]:
    """Positions at which tracks can be inserted: before the first track, and after each.

    Raises:
        ProjectFileError: The file is not a REAPER project, or a block is not closed.
    """
    blocks = list(_blocks(project, path))
    # The data of extensions follows the tracks.
    first = next(start for kind, start, _ in blocks if kind in {b"<TRACK", b"<EXTENSIONS", b">"})
    return [first, *(end for kind, _, end in blocks if kind == b"<TRACK")]


def _blocks(project: bytes, path: Path) -> Iterator[tuple[bytes, int, int]]:
    """First word, start and end of each block in the project, and finally of its closing line.

    Raises:
        ProjectFileError: The file is not a REAPER project, or a block is not closed.
    """
    if not project.lstrip().startswith(b"<REAPER_PROJECT"):
        raise ProjectFileError(path, "is not a REAPER project", remedy="Choose a project (.rpp).")
    level = position = start = 0
    kind = b""
    for line in project.splitlines(keepends=True):
        text = line.strip()
        if text.startswith(b"<"):
            if level == _TRACK_LEVEL:
                kind, start = text.split(maxsplit=1)[0], position
            level += 1
        elif text == b">":
            level -= 1
            if level == 0:
                yield text, position, position + len(line)
                return
            if level == _TRACK_LEVEL:
                yield kind, start, position + len(line)
        position += len(line)
    remedy = "Open the project in REAPER and save it again."
    raise ProjectFileError(path, "is damaged: a block is not closed", remedy=remedy)


def folder_depths(project: bytes, path: Path) -> list[int]:
    """The folder depth of each track: 1 opens a folder, -n closes n.

    Raises:
        ProjectFileError: The file is not a REAPER project, or is damaged.
    """
    ends = _track_ends(project, path)
    depths = []
    for start, end in itertools.pairwise(ends):
        depth = 0
        for line in project[start:end].decode("utf-8", "replace").splitlines():
            words = split_words(line)
            if words[:1] == ["ISBUS"]:
                try:
                    depth = int(words[2])
                except (ValueError, IndexError) as error:
                    raise ProjectFileError(
                        path,
                        f"is damaged: {line.strip()!r}",
                        remedy="Open the project in REAPER and save it again.",
                    ) from error
        depths.append(depth)
    return depths

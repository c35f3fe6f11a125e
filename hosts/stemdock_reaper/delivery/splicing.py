"""Adds stems to an existing REAPER project and keeps the rest of it.

A project is text: a line that starts with `<` opens a block, a line `>` closes it. The tracks are inserted
into the bytes, because parsing and writing a project loses everything that the parser does not know.

A send is a line in the track that receives it, `AUXRECV <track> ...`, which counts the sending track from
0 at the top of the project. Tracks below the inserted ones get other numbers, so these lines are rewritten.
Everything else in a project file refers to tracks by GUID, by group, or by its place in the file.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final

from stemdock_reaper.errors import ProjectFileError
from stemdock_reaper.profile.words import split_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TRACK_LEVEL: Final = 1
_RECEIVE: Final = re.compile(rb"(\s*AUXRECV\s+)(\d{1,9})(?=\s)")


def splice(project: bytes, path: Path, tracks: bytes, after_track: int | None) -> bytes:
    """Inserts tracks into a project. Sends stay connected; every other byte stays.

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
        after_track = len(ends) - 1
    if not 0 <= after_track < len(ends):
        raise ProjectFileError(
            path, f"has no track {after_track}", remedy=f"Choose a number from 0 to {len(ends) - 1}."
        )
    n_added = sum(line.split()[:1] == [b"<TRACK"] for line in tracks.splitlines())
    old = [_renumbered(project[start:end], after_track, n_added) for start, end in itertools.pairwise(ends)]
    old.insert(after_track, tracks)
    return project[: ends[0]] + b"".join(old) + project[ends[-1] :]


def _renumbered(track: bytes, first: int, n_added: int) -> bytes:
    """A track whose sends come from the same tracks after others were inserted.

    Args:
        track: From the end of the previous track to the end of this one.
        first: Number of the first track that moves, from 0.
        n_added: How many tracks were inserted before it.
    """
    lines = track.splitlines(keepends=True)
    level = 0
    for index, line in enumerate(lines):
        found = _RECEIVE.match(line)
        # Deeper lines are data of items, effects and extensions, and can start with any word.
        if found and level == _TRACK_LEVEL and int(found[2]) >= first:
            lines[index] = b"%b%d%b" % (found[1], int(found[2]) + n_added, line[found.end() :])
        text = line.strip()
        level += text.startswith(b"<")
        level -= text == b">"
    return b"".join(lines)


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

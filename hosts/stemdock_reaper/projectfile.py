"""REAPER's project files: new ones with stems, and stems spliced into one without touching the rest.

A project is text: a line that starts with `<` opens a block, a line `>` closes it. Words with blanks are
quoted as in REAPER's other files. Splicing works on bytes, since parsing and writing a project again
loses what the parser does not know.
"""

from __future__ import annotations

import itertools
import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock_reaper.errors import ProjectFileError
from stemdock_reaper.keyboard import quoted, split_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_SOURCE_TYPES: Final = {
    ".aif": "AIFF",
    ".aiff": "AIFF",
    ".flac": "FLAC",
    ".mp3": "MP3",
    ".ogg": "VORBIS",
    ".opus": "OPUS",
}
"""REAPER's names for the formats of files, by suffix; every other file is opened as "WAVE"."""
_TRACK_LEVEL: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StemFile:
    """A stem that is to become a track."""

    path: Path
    title: str
    duration: float
    """Seconds."""


def new_project(stems: Sequence[StemFile], name: str, target: Path, sample_rate: int) -> bytes:
    """The text of a project with a folder of stem tracks.

    Args:
        stems: In the order of the tracks.
        name: Of the folder track.
        target: Where the project will lie; files beside or below it get relative paths.
        sample_rate: Hz.
    """
    head = f'<REAPER_PROJECT 0.1 "6.47" 0\n  SAMPLERATE {sample_rate} 1 0\n'.encode()
    return head + tracks_text(stems, name, target, b"\n") + b">\n"


def splice(project: bytes, path: Path, tracks: bytes, after_track: int | None) -> bytes:
    """Puts tracks into a project; every other byte stays.

    Args:
        project: Its content.
        path: Its name, for messages.
        tracks: Text of whole tracks that opens and closes its own folders.
        after_track: Number of the track to put them behind, from 1; 0 for before the first, None for
            behind the last.

    Raises:
        ProjectFileError: It is no project, is damaged, or has no such track.
    """
    ends = _track_ends(project, path)
    if after_track is None:
        place = ends[-1]
    elif 0 <= after_track < len(ends):
        place = ends[after_track]
    else:
        raise ProjectFileError(
            path, f"has no track {after_track}", remedy=f"It has {len(ends) - 1} tracks; choose one of these."
        )
    return project[:place] + tracks + project[place:]


def line_end(project: bytes) -> bytes:
    """How the lines of a project end."""
    return b"\r\n" if b"\r\n" in project else b"\n"


def tracks_text(stems: Sequence[StemFile], name: str, target: Path, line_end: bytes) -> bytes:
    """A folder track and a track for each stem, as they stand in a project.

    Args:
        stems: In the order of the tracks.
        name: Of the folder track.
        target: The project; files beside or below it get relative paths.
        line_end: Of that project.
    """
    lines = _track_lines(name, "1 1", [])
    for number, stem in enumerate(stems, start=1):
        depth = "2 -1" if number == len(stems) else "0 0"
        lines += _track_lines(stem.title, depth, _item_lines(stem, target))
    return b"".join(f"  {line}".encode() + line_end for line in lines)


def _track_lines(name: str, bus: str, item: list[str]) -> list[str]:
    guid = _guid()
    body = [f"NAME {_word(name)}", f"ISBUS {bus}", f"TRACKID {guid}", *item]
    return [f"<TRACK {guid}", *(f"  {line}" for line in body), ">"]


def _item_lines(stem: StemFile, target: Path) -> list[str]:
    kind = _SOURCE_TYPES.get(stem.path.suffix.lower(), "WAVE")
    return [
        "<ITEM",
        "  POSITION 0",
        f"  LENGTH {stem.duration:.14g}",
        "  LOOP 0",
        f"  IGUID {_guid()}",
        f"  NAME {_word(stem.path.name)}",
        f"  GUID {_guid()}",
        f"  <SOURCE {kind}",
        f"    FILE {_word(_reference(stem.path, target))}",
        "  >",
        ">",
    ]


def _reference(path: Path, target: Path) -> str:
    folder = target.absolute().parent
    whole = path.absolute()
    return str(whole.relative_to(folder) if whole.is_relative_to(folder) else whole)


def _word(text: str) -> str:
    """A quoted word; where REAPER cannot quote, it writes its backticks as apostrophes, and so do we."""
    text = " ".join(text.splitlines())
    return quoted(text.replace("`", "'") if {'"', "'", "`"} <= set(text) else text)


def _guid() -> str:
    return "{" + str(uuid.uuid4()).upper() + "}"


def _track_ends(project: bytes, path: Path) -> list[int]:
    """Where tracks may be put in: before the first track, and behind each.

    Raises:
        ProjectFileError: It is no project, or its blocks do not close.
    """
    blocks = list(_blocks(project, path))
    # Extensions' data stands behind the tracks.
    first = next(start for kind, start, _ in blocks if kind in {b"<TRACK", b"<EXTENSIONS", b">"})
    return [first, *(end for kind, _, end in blocks if kind == b"<TRACK")]


def _blocks(project: bytes, path: Path) -> Iterator[tuple[bytes, int, int]]:
    """First word, start and end of each block in the project, and at last of the line that closes it.

    Raises:
        ProjectFileError: It is no project, or its blocks do not close.
    """
    if not project.lstrip().startswith(b"<REAPER_PROJECT"):
        raise ProjectFileError(path, "is no REAPER project", remedy="Choose a file that REAPER saved (.rpp).")
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
    remedy = "Open it in REAPER, and save it again."
    raise ProjectFileError(path, "is damaged: a block does not end", remedy=remedy)


def folder_depths(project: bytes, path: Path) -> list[int]:
    """The folder depth of each track: 1 opens a folder, -n closes n.

    Raises:
        ProjectFileError: It is no project, or is damaged.
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
                        path, f"is damaged: {line.strip()!r}", remedy="Open it in REAPER, and save it again."
                    ) from error
        depths.append(depth)
    return depths


def write_new(path: Path, content: bytes) -> None:
    """Writes a file that must not exist yet, complete from the first moment.

    Raises:
        ProjectFileError: It exists, or cannot be written.
    """
    staged = path.with_name(f".{path.name}.{os.getpid()}.stemdock")
    try:
        path.touch(exist_ok=False)
        staged.write_bytes(content)
        staged.replace(path)
    except FileExistsError as error:
        raise ProjectFileError(path, "exists already", remedy="Choose another name (--out).") from error
    except OSError as error:
        raise ProjectFileError(
            path, f"cannot be written ({error.strerror})", remedy="Choose a folder that you may write to."
        ) from error

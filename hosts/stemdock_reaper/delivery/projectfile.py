"""Writes REAPER's project files with a track for each stem.

A project is text: a line that starts with `<` opens a block, a line `>` closes it. Words with blanks are
quoted as in REAPER's other files.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stemdock import write_atomically
from stemdock_reaper.errors import ProjectFileError
from stemdock_reaper.profile.words import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class StemFile:
    """A stem that becomes a track."""

    path: Path
    title: str
    duration: float
    """Seconds."""

    source_type: str
    """REAPER's name for the file's format."""


def new_project(stems: Sequence[StemFile], name: str, target: Path, sample_rate: int) -> bytes:
    """The text of a project with a folder of stem tracks.

    Args:
        stems: The stems in the order of the tracks.
        name: Name of the folder track.
        target: The project's path; files in its folder or below get relative paths.
        sample_rate: Hz.
    """
    head = f'<REAPER_PROJECT 0.1 "6.47" 0\n  SAMPLERATE {sample_rate} 1 0\n'.encode()
    return head + tracks_text(stems, name, target, b"\n") + b">\n"


def tracks_text(stems: Sequence[StemFile], name: str, target: Path, line_end: bytes) -> bytes:
    """The text of a folder track and a track for each stem.

    Args:
        stems: The stems in the order of the tracks.
        name: Name of the folder track.
        target: The project's path; files in its folder or below get relative paths.
        line_end: Line end of that project.
    """
    lines = _track_lines(name, "1 1", [])
    for number, stem in enumerate(stems, start=1):
        depth = "2 -1" if number == len(stems) else "0 0"
        lines += _track_lines(stem.title, depth, _item_lines(stem, target))
    return b"".join(f"  {line}".encode("utf-8", "surrogateescape") + line_end for line in lines)


def _track_lines(name: str, bus: str, item: list[str]) -> list[str]:
    guid = _guid()
    body = [f"NAME {_word(name)}", f"ISBUS {bus}", f"TRACKID {guid}", *item]
    return [f"<TRACK {guid}", *(f"  {line}" for line in body), ">"]


def _item_lines(stem: StemFile, target: Path) -> list[str]:
    return [
        "<ITEM",
        "  POSITION 0",
        f"  LENGTH {stem.duration:.14g}",
        "  LOOP 0",
        f"  IGUID {_guid()}",
        f"  NAME {_word(stem.path.name)}",
        f"  GUID {_guid()}",
        f"  <SOURCE {stem.source_type}",
        f"    FILE {_word(_reference(stem.path, target))}",
        "  >",
        ">",
    ]


def _reference(path: Path, target: Path) -> str:
    folder = target.absolute().parent
    whole = path.absolute()
    return str(whole.relative_to(folder) if whole.is_relative_to(folder) else whole)


def _word(text: str) -> str:
    """A quoted word. With all three quotation marks in it, backticks become apostrophes, as in REAPER."""
    text = " ".join(text.splitlines())
    return quoted(text.replace("`", "'") if {'"', "'", "`"} <= set(text) else text)


def _guid() -> str:
    return "{" + str(uuid.uuid4()).upper() + "}"


def write_new(path: Path, content: bytes) -> None:
    """Writes a new file in one step.

    Raises:
        ProjectFileError: The file exists, or cannot be written.
    """
    try:
        write_atomically(path, content, overwrite=False)
    except FileExistsError as error:
        raise ProjectFileError(path, "already exists", remedy="Choose another name (--out).") from error
    except OSError as error:
        raise ProjectFileError(
            path, f"cannot be written ({error.strerror})", remedy="Choose a folder that you can write to."
        ) from error

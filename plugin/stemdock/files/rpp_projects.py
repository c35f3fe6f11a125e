"""REAPER's project files: the only module of the core that knows the format.

A project is text: a line that starts with `<` opens a block, a line `>` closes it. Sounds are other files.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from stemdock.errors import OutputError, unwritable
from stemdock.lib.os_errors import os_errors_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stemdock.audio import Signal
    from stemdock.output.daw_tracks import DawProject, DawTrack
    from stemdock.output.tags import Tags

_SOURCES: Final = {".wav": "WAVE", ".flac": "FLAC", ".mp3": "MP3", ".ogg": "VORBIS", ".opus": "OPUS"}
"""REAPER's names for the formats of sounds; it tries no other reader than the named one."""
_HAS_COLOR: Final = 1 << 24
"""Bit of a colour that is set, above blue, green and red."""
_QUOTES: Final = "\"'`"


def write_rpp_project(
    path: Path, content: DawProject, place: Path, sounds: Mapping[str, Path], signal: Signal, tags: Tags
) -> None:
    """Writes a project of REAPER.

    Args:
        path: A file that does not exist yet.
        content: The tracks.
        place: Where the project goes.
        sounds: Where each of the sounds goes.
        signal: Format and length of the sounds.
        tags: Tags of the song.

    Raises:
        OutputError: The file cannot be written, or REAPER could not read the name of a sound.
    """
    lines = ['<REAPER_PROJECT 0.1 "6.47" 0', f"  SAMPLERATE {signal.sample_rate} 1 0"]
    lines += [f"  {key} {_word(text)}" for key, text in _titles(tags)]
    seconds = (signal.total_length or 0) / signal.sample_rate
    for track in content.tracks:
        lines += (f"  {line}" for line in _track(track, _reference(sounds[track.sound], place), seconds))
    lines.append(">\n")
    with os_errors_as(unwritable(path, "Check the disk and its free space.")), path.open("xb") as file:
        file.write("\n".join(lines).encode("utf-8", "surrogateescape"))


def _titles(tags: Tags) -> Iterator[tuple[str, str]]:
    if tags.title:
        yield "TITLE", tags.title
    if tags.artist:
        yield "AUTHOR", tags.artist


def _track(track: DawTrack, reference: str, seconds: float) -> list[str]:
    red, green, blue = bytes.fromhex(track.color.removeprefix("#"))
    guid = _guid()
    return [
        f"<TRACK {guid}",
        f"  NAME {_word(track.name)}",
        f"  PEAKCOL {_HAS_COLOR | blue << 16 | green << 8 | red}",
        f"  MUTESOLO {int(track.is_muted)} 0 0",
        f"  TRACKID {guid}",
        "  <ITEM",
        "    POSITION 0",
        f"    LENGTH {seconds:.14g}",
        "    LOOP 0",
        f"    IGUID {_guid()}",
        f"    NAME {_word(track.name)}",
        f"    GUID {_guid()}",
        f"    <SOURCE {_SOURCES[Path(reference).suffix]}",
        f"      FILE {_word(reference)}",
        "    >",
        "  >",
        ">",
    ]


def _reference(sound: Path, project: Path) -> str:
    """The path of a sound from the folder of the project, so that both can be moved together."""
    relative = Path(os.path.relpath(sound, project.parent)).as_posix()
    if _word(relative)[1:-1] != relative:
        raise OutputError(
            project,
            "REAPER cannot read the name of a sound that has line breaks or all three quotation marks",
            remedy="Choose another name for the project.",
        )
    return relative


def _word(text: str) -> str:
    """A quoted word: there are three quotation marks, and no escapes."""
    text = " ".join(text.replace("\0", " ").splitlines())
    if set(_QUOTES) <= set(text):
        text = text.replace("`", "'")
    quote = next(each for each in _QUOTES if each not in text)
    return f"{quote}{text}{quote}"


def _guid() -> str:
    return "{" + str(uuid4()).upper() + "}"

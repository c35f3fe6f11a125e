"""Audacity's older projects (.aup): the only module that knows the format.

Audacity 3 opens and imports them, and copies the samples from the sound files that they name. Its own newer
projects (.aup3) are databases whose content is internal to the program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from stemdock.errors import OutputError, unwritable
from stemdock.files.xml_names import check_xml_name
from stemdock.lib.os_errors import os_errors_as
from stemdock.lib.xml_text import xml_text
from stemdock.output.colors import GREY
from stemdock.output.tags import Tags

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from stemdock.audio import Signal
    from stemdock.output.daw_tracks import DawProject

_FORM: Final = "a project of Audacity"
_HEADER: Final = b'<?xml version="1.0" encoding="utf-8" standalone="no" ?>\n'
_BLOCK_LENGTH: Final = 262144
"""Most samples in one block."""
_FLOAT: Final = 262159
"""Audacity's number for 32-bit floating point samples."""
_STEREO: Final = 2
_LEFT, _MONO = 0, 2
"""Audacity's numbers for channels; that of the right one is 1."""
_COLORS: Final = 4
"""Colours of waves that Audacity has; the first is the usual one."""
_TAGS: Final = {
    "title": "TITLE", "artist": "ARTIST", "album": "ALBUM", "tracknumber": "TRACKNUMBER", "year": "YEAR",
    "genre": "GENRE", "comment": "COMMENTS",
}  # fmt: skip
"""Audacity's names for tags, by ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudacityTrack:
    """A track with one clip."""

    name: str
    audio: str
    """Sound file that libsndfile reads: its absolute path, or its name in the project's data folder. A file
    of that name in Audacity's current folder would be taken instead."""
    sample_rate: int
    """Hz."""
    n_channels: int
    """The channels of more than two become mono tracks."""
    length: int
    """Samples."""
    start: float = 0.0
    """Seconds in the project."""
    is_muted: bool = False
    color: int = 0
    """Which of Audacity's colours the wave has: 0 to 3."""


def audacity_project(
    tracks: Sequence[AudacityTrack], data: str, sample_rate: float, tags: Tags | None = None
) -> bytes:
    """The content of a project's file.

    Args:
        tracks: From the top.
        data: Name of the data folder, which must exist beside the file, even if it is empty.
        sample_rate: Hz of the project.
        tags: Tags of the project.
    """
    root = ET.Element(
        "project",
        {
            "xmlns": "http://audacity.sourceforge.net/xml/", "projname": data,
            "version": "1.3.0", "audacityversion": "2.4.2", "rate": repr(float(sample_rate)),
        },
    )  # fmt: skip
    texts = {name: getattr(tags or Tags(), ours) for ours, name in _TAGS.items()}
    listed = ET.SubElement(root, "tags")
    for name, text in texts.items():
        if text:
            ET.SubElement(listed, "tag", name=name, value=xml_text(text))
    for number, track in enumerate(tracks):
        for channel in range(track.n_channels):
            _add_channel(root, track, number, channel)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=False)
    return _HEADER + content + b"\n"


def write_audacity_project(
    path: Path, content: DawProject, place: Path, sounds: Mapping[str, Path], signal: Signal, tags: Tags
) -> None:
    """Writes the file of an Audacity project.

    Args:
        path: A file that does not exist yet.
        content: The tracks.
        place: Where the file goes.
        sounds: Where each of the sounds goes.
        signal: Format and length of the sounds.
        tags: Tags of the song.

    Raises:
        OutputError: The file cannot be written, its data folder would have no sounds, or Audacity could not
            read a path.
    """
    data = _data_folder(place, [sounds[track.sound] for track in content.tracks])
    colored = [track.name for track in content.tracks if track.color != GREY]
    colors = {name: 1 + number % (_COLORS - 1) for number, name in enumerate(colored)}
    tracks = [
        AudacityTrack(
            name=track.name,
            audio=_reference(place, data, sounds[track.sound]),
            sample_rate=signal.sample_rate,
            n_channels=signal.n_channels,
            length=signal.total_length or 0,
            is_muted=track.is_muted,
            color=colors.get(track.name, 0),
        )
        for track in content.tracks
    ]
    with os_errors_as(unwritable(path, "Check the disk and its free space.")), path.open("xb") as file:
        file.write(audacity_project(tracks, data.name, signal.sample_rate, tags))


def _data_folder(place: Path, sounds: Sequence[Path]) -> Path:
    """The folder beside the project without which Audacity does not open it."""
    for sound in sounds:
        if sound.parent.parent == place.parent:
            check_xml_name(place, sound.parent.name, "its name", _FORM)
            return sound.parent
    raise OutputError(
        place,
        "a project of Audacity needs a folder of sounds beside it",
        remedy="Choose no places for the sounds, or places in one folder beside the project.",
    )


def _reference(place: Path, data: Path, sound: Path) -> str:
    reference = sound.name if sound.parent == data else sound.absolute().as_posix()
    check_xml_name(place, reference, "the name of a sound", _FORM)
    return reference


def _add_channel(root: ET.Element, track: AudacityTrack, number: int, channel: int) -> None:
    is_stereo = track.n_channels == _STEREO
    name, color = xml_text(track.name), str(track.color)
    wave = ET.SubElement(
        root, "wavetrack", name=name, channel=str(channel if is_stereo else _MONO),
        linked=str(int(is_stereo and channel == _LEFT)), mute=str(int(track.is_muted)), solo="0",
        isSelected="0", rate=str(track.sample_rate), gain="1.0", pan="0.0", colorindex=color,
    )  # fmt: skip
    clip = ET.SubElement(wave, "waveclip", offset=repr(track.start), colorindex=color, name=name)
    limits = {"maxsamples": str(_BLOCK_LENGTH), "sampleformat": str(_FLOAT)}
    sequence = ET.SubElement(clip, "sequence", limits, numsamples=str(track.length))
    for block, start in enumerate(range(0, track.length, _BLOCK_LENGTH)):
        part = ET.SubElement(sequence, "waveblock", start=str(start))
        # Audacity takes blocks with the same summary for the same ones, and needs no such file.
        ET.SubElement(
            part, "pcmaliasblockfile", summaryfile=f"{number}-{channel}-{block}.auf", aliasfile=track.audio,
            aliasstart=str(start), aliaslen=str(min(_BLOCK_LENGTH, track.length - start)),
            aliaschannel=str(channel), min="-1", max="1", rms="0.5",
        )  # fmt: skip

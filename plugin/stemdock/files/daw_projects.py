"""DAWproject files, version 1.0: the only module that knows the format (github.com/bitwig/dawproject).

A zip archive with the sounds as they are, and two XML files that describe the project and the song.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from stemdock.files.archives import add_file, new_archive
from stemdock.lib.xml_text import xml_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from threading import Event

    from stemdock.audio import Signal
    from stemdock.output.daw_tracks import DawProject, DawTrack
    from stemdock.output.tags import Tags

_METADATA: Final = {
    "Title": "title", "Artist": "artist", "Album": "album", "Year": "date", "Genre": "genre",
    "Comment": "comment",
}  # fmt: skip
"""Elements by tag, in the order of the format."""
_TEMPO: Final = 120
"""Beats per minute, which are not known: the project counts in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clip:
    """A track and the file in its clip."""

    track: DawTrack
    source: Path
    name: str
    """Inside the archive."""


def write_daw_project(
    path: Path,
    content: DawProject,
    sounds: Mapping[str, Path],
    signal: Signal,
    tags: Tags,
    cancel: Event | None = None,
) -> None:
    """Writes a DAWproject file.

    Args:
        path: A file that does not exist yet.
        content: The tracks.
        sounds: A file for each of the sounds.
        signal: Format and length of the sounds.
        tags: Tags of the song.
        cancel: Set it from another thread to stop.

    Raises:
        OutputError: The file cannot be written.
        CancelledError: `cancel` was set.
    """
    clips = [
        # The number keeps names apart that differ only in case.
        _Clip(track=track, source=sound, name=f"audio/{number} {track.name}{sound.suffix}")
        for number, track in enumerate(content.tracks, 1)
        for sound in [sounds[track.sound]]
    ]
    with new_archive(path) as archive:
        _add_xml(archive, "metadata.xml", _metadata(tags))
        _add_xml(archive, "project.xml", _project(clips, signal))
        for clip in clips:
            add_file(archive, clip.name, clip.source, cancel)


def _add_xml(archive: ZipFile, name: str, root: ET.Element) -> None:
    ET.indent(root)
    entry = ZipInfo(name)
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, ET.tostring(root, encoding="UTF-8", xml_declaration=True))


def _metadata(tags: Tags) -> ET.Element:
    root = ET.Element("MetaData")
    for name, tag in _METADATA.items():
        if text := getattr(tags, tag):
            ET.SubElement(root, name).text = xml_text(text)
    return root


def _project(clips: list[_Clip], signal: Signal) -> ET.Element:
    numbers = count()

    def add(parent: ET.Element, kind: str, **attributes: object) -> ET.Element:
        texts = {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in attributes.items()
        }
        return ET.SubElement(parent, kind, texts)

    def add_numbered(parent: ET.Element, kind: str, **attributes: object) -> ET.Element:
        return add(parent, kind, id=f"id{next(numbers)}", **attributes)

    def add_track(name: str, role: str, *, muted: bool, **attributes: object) -> tuple[str, ET.Element]:
        track = add_numbered(structure, "Track", name=name, loaded=True, **attributes)
        channel = add_numbered(track, "Channel", role=role, audioChannels=signal.n_channels, solo=False)
        add_numbered(channel, "Mute", name="Mute", value=muted)
        add_numbered(channel, "Pan", name="Pan", unit="normalized", min=0, max=1, value=0.5)
        add_numbered(channel, "Volume", name="Volume", unit="linear", min=0, max=2, value=1)
        return track.attrib["id"], channel

    from importlib.metadata import version  # noqa: PLC0415  slow, and only needed here

    root = ET.Element("Project", version="1.0")
    add(root, "Application", name="Stemdock", version=version("stemdock"))
    transport = add(root, "Transport")
    add_numbered(transport, "Tempo", name="Tempo", unit="bpm", min=20, max=666, value=_TEMPO)
    add_numbered(transport, "TimeSignature", numerator=4, denominator=4)
    structure = add(root, "Structure")
    arrangement = add_numbered(root, "Arrangement")
    lanes = add_numbered(arrangement, "Lanes", timeUnit="seconds")
    duration = (signal.total_length or 0) / signal.sample_rate
    channels = []
    for clip in clips:
        track, channel = add_track(
            clip.track.name, "regular", muted=clip.track.is_muted, contentType="audio", color=clip.track.color
        )
        channels.append(channel)
        in_lane = add_numbered(add_numbered(lanes, "Lanes", track=track), "Clips")
        placed = add(
            in_lane, "Clip", name=clip.track.name, time=0, duration=duration, contentTimeUnit="seconds",
            playStart=0,
        )  # fmt: skip
        audio = add_numbered(
            placed, "Audio", channels=signal.n_channels, sampleRate=signal.sample_rate, duration=duration
        )
        add(audio, "File", path=clip.name)
    _, master = add_track("Master", "master", muted=False, contentType="audio notes")
    for channel in channels:
        channel.set("destination", master.attrib["id"])
    add(root, "Scenes")
    return root

"""Sessions of Ardour 7 and 8: the only module of the core that knows the format.

A session is a folder with a file of XML, and with the sounds in `interchange/NAME/audiofiles`. When Ardour
opens it, Ardour makes the other folders and sets what is left out here to its defaults.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from stemdock.errors import unwritable
from stemdock.files.xml_names import check_xml_name
from stemdock.lib.os_errors import os_errors_as
from stemdock.lib.xml_text import xml_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from stemdock.audio import Signal
    from stemdock.output.daw_tracks import DawProject, DawTrack
    from stemdock.output.tags import Tags

_VERSION: Final = "7003"
"""That of Ardour 8, which would ask about an older one. Ardour 7 reads all that start with 7."""
_PARTS: Final = (
    "Config", "Metadata", "Sources", "Regions", "Locations", "Bundles", "RouteGroups", "Routes", "Playlists",
    "TempoMap",
)  # fmt: skip
"""Ardour refuses sessions that lack one of most of these, or warns of it, even if it is empty."""
_OPTIONS: Final = {"native-file-data-format": "FormatFloat", "default-time-domain": "AudioTime"}
"""Ardour refuses sessions without the first. Without the second, Ardour 8 rounds the end to beats."""
_SUPERCLOCK: Final = 282_240_000
"""Ardour's units of time in a second, as the file says in its tempo map."""
_FIRST_ID: Final = 1000
"""The numbers below are those of what Ardour makes before it reads the file."""
_TEMPO: Final = {
    "npm": "120", "enpm": "120", "note-type": "4", "type": "Constant", "active": "1", "locked-to-meter": "0",
    "continuing": "0", "sclock": "0", "quarters": "0:0", "bbt": "1|1|0", "omega": "0",
}  # fmt: skip
"""The song's tempo is not known: Ardour's default, 120 beats per minute."""
_METER: Final = {
    "note-value": "4", "divisions-per-bar": "4", "sclock": "0", "quarters": "0:0", "bbt": "1|1|0",
}  # fmt: skip
_TAGS: Final = ("title", "artist", "album", "genre", "comment", "year")
_FORM: Final = "a session of Ardour"
_N_OUTPUTS: Final = 2
"""Channels of the master bus, and of each track behind its panner."""
_MASTER: Final = "Master"
_RESERVED: Final = ("master", "monitor", "auditioner", "click", "surround")
"""Tracks of these names would get ports of other names than those in the file."""


def write_ardour_session(
    path: Path, content: DawProject, place: Path, sounds: Mapping[str, Path], signal: Signal, tags: Tags
) -> None:
    """Writes the file of an Ardour session.

    Args:
        path: A file that does not exist yet.
        content: The tracks.
        place: Where the file goes.
        sounds: Where each of the sounds goes.
        signal: Format and length of the sounds.
        tags: Tags of the song.

    Raises:
        OutputError: The file cannot be written, or Ardour could not save the session under this name or
            read the path of a sound.
    """
    check_xml_name(place, place.name, "its name", _FORM)
    session = _Session(signal, place.stem)
    session.add_metadata(tags)
    for track, name in zip(content.tracks, _distinct(content.tracks), strict=True):
        session.add_track(track, name, _reference(sounds[track.sound], place))
    with os_errors_as(unwritable(path, "Check the disk and its free space.")), path.open("xb") as file:
        file.write(session.xml())


class _Session:
    """The tree of elements, which tracks are added to."""

    def __init__(self, signal: Signal, name: str) -> None:
        self._n_channels = signal.n_channels
        # Ardour rounds to the sample before.
        self._end = -(-(signal.total_length or 0) * _SUPERCLOCK // signal.sample_rate)
        self._ids = count(_FIRST_ID)
        self._root = ET.Element(
            "Session", {"version": _VERSION, "name": name, "sample-rate": str(signal.sample_rate)}
        )
        parts = {part: ET.SubElement(self._root, part) for part in _PARTS}
        self._metadata, self._routes = parts["Metadata"], parts["Routes"]
        self._sources, self._regions = parts["Sources"], parts["Regions"]
        self._playlists, tempos = parts["Playlists"], parts["TempoMap"]
        for option, value in _OPTIONS.items():
            ET.SubElement(parts["Config"], "Option", {"name": option, "value": value})
        limits = {"start": "a0", "end": f"a{self._end}", "flags": "IsSessionRange"}
        self._add(parts["Locations"], "Location", name="session", **limits)
        tempos.set("superclocks-per-second", str(_SUPERCLOCK))
        ET.SubElement(ET.SubElement(tempos, "Tempos"), "Tempo", _TEMPO)
        ET.SubElement(ET.SubElement(tempos, "Meters"), "Meter", _METER)
        ET.SubElement(tempos, "MusicTimes")
        outputs = [[f"system:playback_{number}"] for number in range(1, _N_OUTPUTS + 1)]
        self._add_route(_MASTER, "MasterOut", _N_OUTPUTS, outputs)

    def add_metadata(self, tags: Tags) -> None:
        for name in _TAGS:
            if text := getattr(tags, name):
                ET.SubElement(self._metadata, name).text = xml_text(text)

    def add_track(self, track: DawTrack, name: str, file: str) -> None:
        """Adds a track with one region.

        Args:
            track: Colour, and whether it is muted.
            name: One that no other track has.
            file: The sound: its name in the folder of the sounds, or its absolute path.
        """
        channels = range(self._n_channels)
        sources = [
            self._add(self._sources, "Source", name=file, type="audio", flags="", channel=str(channel))
            for channel in channels
        ]
        playlist = self._add(self._playlists, "Playlist", name=name, type="audio")
        # The first is what Ardour lists as the sound. Without it, Ardour lists each channel.
        for parent, is_whole in ((self._regions, "1"), (playlist, "0")):
            self._add(
                parent, "Region", name=name, type="audio", start="a0", length=f"a{self._end}@a0",
                channels=str(len(channels)),
                **{f"source-{channel}": source.attrib["id"] for channel, source in enumerate(sources)},
                **{"whole-file": is_whole, "fade-in-active": "0", "fade-out-active": "0"},
            )  # fmt: skip
        outputs = [[f"{_MASTER}/audio_in {number}"] for number in range(1, _N_OUTPUTS + 1)]
        route = self._add_route(name, "AudioTrack", self._n_channels, outputs, track)
        route.set("audio-playlist", playlist.attrib["id"])
        playlist.set("orig-track-id", route.attrib["id"])

    def _add_route(
        self, name: str, kind: str, n_inputs: int, outputs: list[list[str]], track: DawTrack | None = None
    ) -> ET.Element:
        route = self._add(self._routes, "Route", name=name, version=_VERSION, **{"default-type": "audio"})
        order = {"order": str(len(self._routes) - 1), "flags": f"{kind},OrderSet"}
        if track:
            # Red, green, blue and opacity.
            order["color"] = str(int(track.color.removeprefix("#"), 16) << 8 | 0xFF)
            muted = {"mute-point": "PostFader,Listen,Main", "muted": str(int(track.is_muted))}
            ET.SubElement(route, "MuteMaster", muted)
        ET.SubElement(route, "PresentationInfo", order)
        self._add_ports(route, "Input", "in", [[] for _ in range(n_inputs)])
        self._add_ports(route, "Output", "out", outputs)
        self._add(route, "Processor", name="Amp", type="amp", active="1")
        return route

    def _add_ports(self, route: ET.Element, direction: str, word: str, connected: list[list[str]]) -> None:
        name = route.attrib["name"]
        ports = self._add(route, "IO", name=name, direction=direction, **{"default-type": "audio"})
        for number, others in enumerate(connected, 1):
            port = ET.SubElement(ports, "Port", {"type": "audio", "name": f"{name}/audio_{word} {number}"})
            for other in others:
                ET.SubElement(port, "Connection", {"other": other})

    def _add(self, parent: ET.Element, kind: str, **attributes: str) -> ET.Element:
        """Adds an element with a number of its own."""
        return ET.SubElement(parent, kind, {"id": str(next(self._ids)), **attributes})

    def xml(self) -> bytes:
        self._root.set("id-counter", str(next(self._ids)))
        ET.indent(self._root)
        text: bytes = ET.tostring(self._root, encoding="UTF-8", xml_declaration=True)
        return text


def _distinct(tracks: tuple[DawTrack, ...]) -> Iterator[str]:
    """Names for tracks, which Ardour also calls their ports by."""
    taken = set(_RESERVED)
    for track in tracks:
        names = (track.name if number == 1 else f"{track.name} {number}" for number in count(1))
        name = next(name for name in names if name.casefold() not in taken)
        taken.add(name.casefold())
        yield name


def _reference(sound: Path, place: Path) -> str:
    """The name of a sound in the session's folder of sounds, or its path if it is elsewhere."""
    is_inside = sound.parent.name == "audiofiles" and place.parent in sound.parents
    reference = sound.name if is_inside else str(sound.absolute())
    check_xml_name(place, reference, "the name of a sound", _FORM)
    return reference

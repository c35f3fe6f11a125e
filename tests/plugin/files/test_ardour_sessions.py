"""Sessions of Ardour, read as the format says; tests/hosts/ardour opens them in Ardour."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import soundfile

from stemdock import AudioWriter, Output, Plugins, Separator, separate_file
from stemdock.audio import Signal
from stemdock.cli.main import run
from stemdock.errors import OutputError, OutputExistsError, OutputOptionError
from stemdock.files.ardour_sessions import write_ardour_session
from stemdock.output.colors import COLORS, GREY
from stemdock.output.daw_tracks import DawProject, DawTrack, daw_project
from stemdock.output.formats import named_for
from stemdock.output.naming import Destination
from stemdock.output.tags import Tags
from support.file_limits import files_up_to
from support.small_model import SmallPlugin, small_card, write_noise

SESSION = Output(format="ardour")
SUPERCLOCK = 282_240_000

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    name: str
    muted: str
    color: str
    files: list[tuple[str, str]]
    """Name and channel of each source of its region."""
    length: int
    """Superclocks."""
    region: Mapping[str, str]
    n_inputs: int
    outputs: list[list[str]]


class Session:
    """A session file in which all references lead somewhere, and no number occurs twice."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = ET.fromstring(path.read_bytes())  # noqa: S314  our own
        elements = list(self.root.iter())
        ids = [element.attrib["id"] for element in elements if "id" in element.attrib]
        assert len(set(ids)) == len(ids)
        assert min(map(int, ids)) >= 1000
        assert max(map(int, ids)) < int(self.root.attrib["id-counter"])
        ports = [element.attrib["name"] for element in elements if element.tag == "Port"]
        assert len(set(ports)) == len(ports)
        for connection in elements:
            if connection.tag == "Connection":
                assert connection.attrib["other"] in {*ports, "system:playback_1", "system:playback_2"}
        tempos = self.root.find("TempoMap")
        assert tempos is not None
        assert tempos.attrib["superclocks-per-second"] == str(SUPERCLOCK)
        # What Ardour refuses sessions without, or asks about.
        options = {option.attrib["name"]: option.attrib["value"] for option in self.root.findall("Config/*")}
        assert options == {"native-file-data-format": "FormatFloat", "default-time-domain": "AudioTime"}
        assert {part.tag for part in self.root} > {"Bundles", "RouteGroups", "Regions", "Locations"}
        assert {route.attrib["version"] for route in self.root.iter("Route")} == {"7003"}
        assert self.root.attrib["version"] == "7003"
        assert all(route.find("Processor[@type='amp']") is not None for route in self.root.iter("Route"))
        self.sample_rate = int(self.root.attrib["sample-rate"])

    @property
    def metadata(self) -> dict[str, str | None]:
        return {element.tag: element.text for element in self.root.findall("Metadata/*")}

    @property
    def end(self) -> int:
        (location,) = self.root.findall("Locations/Location")
        assert (location.attrib["flags"], location.attrib["start"]) == ("IsSessionRange", "a0")
        return int(location.attrib["end"].removeprefix("a"))

    def tracks(self) -> list[Track]:
        master, *routes = self.root.findall("Routes/Route")
        assert master.attrib["name"] == "Master"
        listed = [self._sound(region) for region in self.root.findall("Regions/Region")]
        found = [self._track(route) for route in routes]
        assert listed == [(track.name, track.files) for track in found]
        orders = [route.find("PresentationInfo") for route in (master, *routes)]
        assert [order.attrib["order"] for order in orders if order is not None] == [
            str(number) for number in range(len(routes) + 1)
        ]
        return found

    def _sound(self, region: ET.Element) -> tuple[str, list[tuple[str, str]]]:
        assert region.attrib["whole-file"] == "1"
        return region.attrib["name"], self._files(region)

    def _files(self, region: ET.Element) -> list[tuple[str, str]]:
        sources = {source.attrib["id"]: source for source in self.root.findall("Sources/Source")}
        chosen = [
            sources[region.attrib[f"source-{number}"]] for number in range(int(region.attrib["channels"]))
        ]
        return [(source.attrib["name"], source.attrib["channel"]) for source in chosen]

    def _track(self, route: ET.Element) -> Track:
        (playlist,) = (
            playlist
            for playlist in self.root.findall("Playlists/Playlist")
            if playlist.attrib["id"] == route.attrib["audio-playlist"]
        )
        assert playlist.attrib["orig-track-id"] == route.attrib["id"]
        (region,) = playlist
        name = route.attrib["name"]
        assert {region.attrib["name"], playlist.attrib["name"]} == {name}
        inputs, outputs = route.findall("IO")
        mute, info = route.find("MuteMaster"), route.find("PresentationInfo")
        assert mute is not None
        assert info is not None
        length, at = region.attrib["length"].removeprefix("a").split("@")
        assert at == "a0"
        color = int(info.attrib["color"])
        assert color & 0xFF == 0xFF
        return Track(
            name=name,
            muted=mute.attrib["muted"],
            color=f"#{color >> 8:06X}",
            files=self._files(region),
            length=int(length),
            region=region.attrib,
            n_inputs=len(inputs),
            outputs=[[other.attrib["other"] for other in port] for port in outputs],
        )


@pytest.mark.parametrize("codec", ["wav", "flac"])
def test_a_session_and_its_sounds(small_separator: Separator, tmp_path: Path, codec: Any) -> None:
    song = write_noise(tmp_path / "my 'song' & ünï 東京.wav", sample_rate=48000)
    output = Output(format="ardour", codec=codec, mixes={"it's & quiet": ("low:-6dB", "high")})
    made = separate_file(small_separator, song, tmp_path / "out", output=output)
    name = song.stem
    folder = tmp_path / "out" / name
    sounds = folder / "interchange" / name / "audiofiles"
    assert made.packages == {"ardour": folder / f"{name}.ardour"}
    assert list(made.stems) == ["low", "high"]
    assert list(made.mixes) == ["(mixture)", "it's & quiet"]
    assert set(folder.parent.rglob("*")) == {
        folder, folder / "interchange", folder / "interchange" / name, sounds, *made.files.values()
    }  # fmt: skip

    session = Session(made.packages["ardour"])
    assert session.root.attrib["name"] == name
    assert session.sample_rate == 48000
    tracks = session.tracks()
    assert [track.name for track in tracks] == ["mixture", "low", "high", "it's & quiet"]
    assert [track.muted for track in tracks] == ["1", "0", "0", "1"]
    assert [track.color for track in tracks] == [GREY, COLORS[0], COLORS[1], GREY]
    for track, sound in zip(tracks, ["(mixture)", "low", "high", "it's & quiet"], strict=True):
        assert track.files == [(f"{sound}.{codec}", "0"), (f"{sound}.{codec}", "1")]
        assert sounds / track.files[0][0] == made.files[sound]
        assert track.region["start"] == "a0"
        assert track.region["fade-in-active"] == track.region["fade-out-active"] == "0"
        assert track.length * 48000 // SUPERCLOCK == soundfile.info(made.files[sound]).frames == 16000
        assert track.outputs == [["Master/audio_in 1"], ["Master/audio_in 2"]]
        assert track.n_inputs == 2
    assert session.end == tracks[0].length


def test_the_sounds_are_those_of_single_files(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    made = separate_file(small_separator, song, tmp_path / "out", output=SESSION)
    single = separate_file(small_separator, song, tmp_path / "single")
    for stem, path in single.stems.items():
        assert made.stems[stem].read_bytes() == path.read_bytes()
    mixture = soundfile.read(made.mixes["(mixture)"], dtype="float32")[0]
    np.testing.assert_allclose(mixture, soundfile.read(song, dtype="float32")[0], atol=1e-6)
    again = separate_file(small_separator, song, tmp_path / "again", output=SESSION)
    assert again.packages["ardour"].read_bytes() == made.packages["ardour"].read_bytes()


@pytest.mark.parametrize("sample_rate", [8000, 11025, 12345, 37800, 44100, 48000, 96000, 176400, 192000])
@pytest.mark.parametrize("length", [1, 16001, 44100 * 36000 + 7])
def test_lengths_to_the_sample_at_any_rate(tmp_path: Path, sample_rate: int, length: int) -> None:
    """Ardour rounds to the sample before."""
    path = tmp_path / "a" / "a.ardour"
    path.parent.mkdir()
    project = daw_project(SESSION, ("low", "high"))
    sounds = {name: path.parent / "interchange/a/audiofiles" / f"{name}.wav" for name in project.sounds}
    signal = Signal(sample_rate=sample_rate, n_channels=2, total_length=length)
    write_ardour_session(path, project, path, sounds, signal, Tags())
    session = Session(path)
    assert session.sample_rate == sample_rate
    assert {track.length * sample_rate // SUPERCLOCK for track in session.tracks()} == {length}


def test_names_that_ardour_needs_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.ardour"
    names = ["mixture", "Mixture", "master", "Click", "click 2", '"<&>"']
    tracks = tuple(DawTrack(name=name, color=GREY, sound="s", is_muted=False) for name in names)
    project = DawProject(sounds={"s": (0,)}, tracks=tracks)
    signal = Signal(sample_rate=8000, n_channels=2, total_length=9)
    write_ardour_session(
        path, project, path, {"s": tmp_path / "interchange/a/audiofiles/s.wav"}, signal, Tags()
    )
    assert [track.name for track in Session(path).tracks()] == [
        "mixture", "Mixture 2", "master 2", "Click 2", "click 2 2", '"<&>"'
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (
            Tags(title="A & <B>", artist="Ünï", album="LP", date="1999-05", genre="G", comment="two\nlines"),
            {"title": "A & <B>", "artist": "Ünï", "album": "LP", "year": "1999", "genre": "G",
             "comment": "two\nlines"},
        ),
        (Tags(title="bell\x07 \x00", date="May 99"), {"title": "bell\ufffd \ufffd"}),
        (Tags(), {}),
    ],
)  # fmt: skip
def test_tags(tmp_path: Path, tags: Tags, expected: dict[str, str]) -> None:
    path = tmp_path / "a.ardour"
    signal = Signal(sample_rate=8000, n_channels=2, total_length=9)
    write_ardour_session(path, DawProject(sounds={}, tracks=()), path, {}, signal, tags)
    assert Session(path).metadata == expected


def test_tags_of_a_song(small_separator: Separator, tmp_path: Path) -> None:
    source = tmp_path / "song.flac"
    with AudioWriter(
        source, output=Output(codec="flac"), sample_rate=8000, n_channels=2, total_length=16000,
        tags=Tags(title="T", artist="A"),
    ) as writer:  # fmt: skip
        writer.write(np.zeros((16000, 2), np.float32))
    made = separate_file(small_separator, source, tmp_path, output=SESSION)
    assert Session(made.packages["ardour"]).metadata == {"title": "T", "artist": "A"}
    bare = separate_file(
        small_separator, source, tmp_path / "bare", output=Output(format="ardour", copy_tags=False)
    )
    assert Session(bare.packages["ardour"]).metadata == {}


def test_mono(tmp_path: Path) -> None:
    """Behind its panner, a mono track has two channels, as Ardour's own."""
    plugins = Plugins()
    plugins.register(SmallPlugin(tmp_path, small_card(n_channels=1)), "small")
    mono = write_noise(tmp_path / "mono.wav", n_channels=1)
    made = separate_file(Separator("small", plugins=plugins), mono, tmp_path / "out", output=SESSION)
    for track in Session(made.packages["ardour"]).tracks():
        assert len(track.files) == 1
        assert track.n_inputs == 1
        assert track.outputs == [["Master/audio_in 1"], ["Master/audio_in 2"]]


def test_a_mono_song_in_a_stereo_model(small_separator: Separator, tmp_path: Path) -> None:
    mono = write_noise(tmp_path / "mono.wav", n_channels=1)
    made = separate_file(small_separator, mono, tmp_path / "out", output=SESSION)
    assert {len(track.files) for track in Session(made.packages["ardour"]).tracks()} == {2}
    assert {soundfile.info(path).channels for path in (*made.stems.values(), *made.mixes.values())} == {2}


def test_chosen_places(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    """Sounds outside the session's folder have their whole path."""
    targets = {"ardour": tmp_path / "a" / "p.ardour", "low": tmp_path / "b" / "l.wav"}
    made = separate_file(small_separator, song, targets, output=SESSION)
    assert made.stems == {
        "low": targets["low"], "high": tmp_path / "a/interchange/p/audiofiles/high.wav"
    }  # fmt: skip
    files = [track.files[0][0] for track in Session(targets["ardour"]).tracks()]
    assert files == ["(mixture).wav", str(targets["low"]), "high.wav"]
    with pytest.raises(OutputOptionError, match="recognise"):
        separate_file(small_separator, song, {"ardour": tmp_path / "x.xml"}, output=SESSION)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that are not UTF-8")
def test_names_that_ardour_could_not_save(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    """With such a name, Ardour writes XML that it cannot read."""
    name = os.fsdecode(b"b\xe9d")
    with pytest.raises(OutputError, match="not UTF-8"):
        separate_file(
            small_separator, song, {"ardour": tmp_path / "out" / name / f"{name}.ardour"}, output=SESSION
        )
    assert not (tmp_path / "out").exists()
    targets = {"ardour": tmp_path / "out/a/a.ardour", "low": tmp_path / "out" / name / "low.wav"}
    with pytest.raises(OutputError, match="name of a sound"):
        separate_file(small_separator, song, targets, output=SESSION)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("template", "remedy"),
    [
        ("{filename}.ardour", "{filename}/{filename}.ardour"),
        ("{artist}/{title}.ardour", "{title}/{title}.ardour"),
        ("x\\{title}/{filename}.ARDOUR", "{filename}/{filename}.ardour"),
    ],
)
def test_a_session_has_a_folder_of_its_own(template: str, remedy: str) -> None:
    with pytest.raises(OutputOptionError, match="folder of its name") as caught:
        named_for(SESSION, Destination(folder=Path(), template=template))
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("template", ["{title}/{title}.ardour", "{artist}\\{title} x\\{title} x.ardour"])
def test_templates(template: str) -> None:
    assert named_for(SESSION, Destination(folder=Path(), template=template)).template == template


def test_nothing_is_replaced_or_left(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    taken = tmp_path / "out/song/interchange/song/audiofiles/high.wav"
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"precious")
    with pytest.raises(OutputExistsError):
        separate_file(small_separator, song, tmp_path / "out", output=SESSION)
    assert taken.read_bytes() == b"precious"
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [taken]
    with files_up_to(100_000), pytest.raises(OSError, match="cannot be written"):
        separate_file(small_separator, song, tmp_path / "full", output=SESSION)
    assert not (tmp_path / "full").exists()


@pytest.mark.slow
def test_the_command(
    plugins: Plugins, song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["separate", str(song), "-m", "small", "-o", str(tmp_path / "out"), "--as", "ardour"]
    assert run(command, plugins) == 0
    session = tmp_path / "out/song/song.ardour"
    folder = session.parent / "interchange/song/audiofiles"
    sounds = [folder / f"{name}.wav" for name in ("(mixture)", "low", "high")]
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(map(str, [session, *sounds]))
    assert run(command, plugins) == 1
    assert "already exists" in capsys.readouterr().err
    assert run([*command, "--resume"], plugins) == 0
    assert capsys.readouterr().out == ""
    sounds[1].write_bytes(b"changed")
    assert run([*command, "--resume"], plugins) == 0
    assert soundfile.info(sounds[1]).frames == 16000
    capsys.readouterr()
    assert run([*command, "-o", "-"], plugins) == 2
    assert "this run writes 4" in capsys.readouterr().err
    for option, reason in (
        (["-f", "{title}.ardour"], "Write {title}/{title}.ardour"),
        (["-c", "mp3"], "cannot contain mp3. Use wav or flac."),
        (["--preview"], "--preview cannot be used with --as"),
        (["--growing"], "ardour files cannot be played before they are complete"),
    ):
        assert run([*command, *option, "--overwrite"], plugins) == 2
        assert reason in capsys.readouterr().err
    assert run([*command, "-f", "{artist}/{title}/{title}.ardour", "-c", "flac"], plugins) == 0
    moved = tmp_path / "out/unknown artist/song/song.ardour"
    assert [track.files[0][0] for track in Session(moved).tracks()] == [
        "(mixture).flac",
        "low.flac",
        "high.flac",
    ]


def test_two_songs_at_once(plugins: Plugins, tmp_path: Path) -> None:
    songs = [str(write_noise(tmp_path / f"{name}.wav")) for name in ("a", "b")]
    command = ["separate", *songs, "-m", "small", "-o", str(tmp_path / "out"), "--as", "ardour"]
    assert run(command, plugins) == 0
    for name in ("a", "b"):
        sounds = {path.name for path in (tmp_path / f"out/{name}/interchange/{name}/audiofiles").iterdir()}
        assert sounds == {"(mixture).wav", "low.wav", "high.wav"}

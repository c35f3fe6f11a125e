"""DAWproject files from the song to the file, read back strictly.

The schema of the format is not part of this project. `xmllint --schema Project.xsd` accepts these files.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from zipfile import ZIP_STORED, ZipFile

import numpy as np
import pytest
import soundfile

from stemdock import AudioWriter, Observer, Output, Plugins, Separator, separate_file
from stemdock.audio import Signal
from stemdock.errors import CancelledError, OutputError, OutputOptionError
from stemdock.files.daw_projects import write_daw_project
from stemdock.output.daw_tracks import DawProject, daw_project
from stemdock.output.tags import Tags
from support.file_limits import files_up_to
from support.set_by_files import SetOnceThereIs
from support.small_model import SmallPlugin, small_card, write_noise

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = Output(format="dawproject")


class Project:
    """An archive whose references all lead somewhere."""

    def __init__(self, path: Path) -> None:
        self.archive = ZipFile(io.BytesIO(path.read_bytes()))
        assert self.archive.testzip() is None
        self.root = self._parsed("project.xml")
        self.metadata = self._parsed("metadata.xml")
        elements = list(self.root.iter())
        ids = [element.attrib["id"] for element in elements if "id" in element.attrib]
        assert len(set(ids)) == len(ids)
        assert all(re.fullmatch(r"[a-z]\w*", each) for each in ids)
        for element in elements:
            for reference in ("track", "destination"):
                assert element.attrib.get(reference, ids[0]) in ids
        names = {element.attrib["path"] for element in elements if element.tag == "File"}
        assert names | {"project.xml", "metadata.xml"} == set(self.archive.namelist())
        assert all(not name.startswith("/") and ".." not in name for name in names)

    def _parsed(self, name: str) -> ET.Element:
        return ET.fromstring(self.archive.read(name))  # noqa: S314  our own

    def tracks(self) -> dict[str, dict[str, Any]]:
        """Mute and colour of each track, and what is in its lane."""
        found = {}
        for track in self.root.findall("Structure/Track"):
            channel = track.find("Channel")
            assert channel is not None
            if channel.attrib["role"] == "master":
                self.master = channel.attrib["id"]
                continue
            (lane,) = [
                lane for lane in self.root.findall("Arrangement/Lanes/Lanes")
                if lane.attrib["track"] == track.attrib["id"]
            ]  # fmt: skip
            (clip,) = lane.findall("Clips/Clip")
            audio = clip.find("Audio")
            assert audio is not None
            file = audio.find("File")
            assert file is not None
            mute = channel.find("Mute")
            assert mute is not None
            found[track.attrib["name"]] = {
                "muted": mute.attrib["value"], "color": track.attrib["color"],
                "destination": channel.attrib["destination"], "clip": clip.attrib, "audio": audio.attrib,
                "path": file.attrib["path"],
            }  # fmt: skip
        assert {track["destination"] for track in found.values()} == {self.master}
        return found

    def sound(self, track: str) -> np.ndarray:
        data = self.archive.read(self.tracks()[track]["path"])
        samples, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        return np.asarray(samples)


@pytest.mark.parametrize("codec", ["wav", "flac"])
def test_tracks_with_the_mixture_and_the_stems(
    small_separator: Separator, song: Path, tmp_path: Path, codec: Any
) -> None:
    output = Output(format="dawproject", codec=codec)
    separated = separate_file(small_separator, song, tmp_path / "out", output=output)
    path = tmp_path / "out" / "song.dawproject"
    assert separated.files == separated.packages == {"dawproject": path}
    assert separated.warnings == ()
    assert [found.name for found in (tmp_path / "out").iterdir()] == [path.name]

    project = Project(path)
    tracks = project.tracks()
    assert {name: track["muted"] for name, track in tracks.items()} == {
        "mixture": "true", "low": "false", "high": "false"
    }  # fmt: skip
    assert len({track["color"] for track in tracks.values()}) == 3
    stems = separate_file(small_separator, song, tmp_path / "stems", output=Output(codec=codec)).stems
    for stem, file in stems.items():
        np.testing.assert_array_equal(project.sound(stem), soundfile.read(file, dtype="float32")[0])
    mixture, _ = soundfile.read(song, dtype="float32")
    np.testing.assert_allclose(project.sound("mixture"), mixture, rtol=0, atol=2**-22)
    for track in tracks.values():
        assert track["path"].endswith(f".{codec}")
        assert project.archive.getinfo(track["path"]).compress_type == ZIP_STORED
        assert track["audio"]["sampleRate"] == "8000"
        assert track["audio"]["channels"] == "2"
        assert float(track["audio"]["duration"]) == float(track["clip"]["duration"]) == 2.0
        assert (track["clip"]["time"], track["clip"]["playStart"]) == ("0", "0")
        assert track["clip"]["contentTimeUnit"] == "seconds"
    lanes = project.root.find("Arrangement/Lanes")
    assert lanes is not None
    assert lanes.attrib["timeUnit"] == "seconds"


def test_the_mixture_has_all_frequencies(small_separator: Separator, tmp_path: Path) -> None:
    """Also those above the model's bandwidth, which no stem has."""
    song = write_noise(tmp_path / "song.wav", sample_rate=44100)
    (path,) = separate_file(small_separator, song, tmp_path, output=PROJECT).files.values()
    mixture, _ = soundfile.read(song, dtype="float32")
    project = Project(path)
    np.testing.assert_allclose(project.sound("mixture"), mixture, rtol=0, atol=2**-22)
    assert np.abs(project.sound("low") + project.sound("high") - mixture).max() > 0.1


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (Output(format="dawproject", stems=("high",)), {"mixture": "true", "high": "false"}),
        (
            Output(format="dawproject", mixes={"both": ("low", "high")}),
            {"mixture": "true", "low": "false", "high": "false", "both": "true"},
        ),
        (Output(format="dawproject", stems=(), mixes={"a": ("low",)}), {"mixture": "true", "a": "false"}),
    ],
)
def test_what_sounds_twice_is_muted(
    small_separator: Separator, song: Path, tmp_path: Path, output: Output, expected: dict[str, str]
) -> None:
    (path,) = separate_file(small_separator, song, tmp_path, output=output).files.values()
    assert {name: track["muted"] for name, track in Project(path).tracks().items()} == expected


def test_colors_tell_five_stems_and_the_mixture_apart() -> None:
    stems = ("vocals", "piano", "drums", "bass", "other")
    tracks = daw_project(Output(format="dawproject"), stems).tracks
    assert len({track.color for track in tracks}) == len(tracks) == 6


def test_unknown_stems_are_refused() -> None:
    with pytest.raises(OutputOptionError, match="no stem 'guitar'"):
        daw_project(Output(format="dawproject", stems=("guitar",)), ("low", "high"))


def test_the_songs_tags(small_separator: Separator, tmp_path: Path) -> None:
    tags = Tags(title="A & <B>", artist="Ünï", album="LP", date="1999", genre="G", comment="two\nlines")
    source = tmp_path / "song.flac"
    with AudioWriter(
        source, output=Output(codec="flac"), sample_rate=8000, n_channels=2, total_length=16000, tags=tags
    ) as writer:
        writer.write(np.zeros((16000, 2), np.float32))
    (path,) = separate_file(small_separator, source, tmp_path, output=PROJECT).files.values()
    assert [(element.tag, element.text) for element in Project(path).metadata] == [
        ("Title", "A & <B>"), ("Artist", "Ünï"), ("Album", "LP"), ("Year", "1999"), ("Genre", "G"),
        ("Comment", "two\nlines"),
    ]  # fmt: skip


def test_tags_that_xml_cannot_contain(tmp_path: Path) -> None:
    path = tmp_path / "a.dawproject"
    signal = Signal(sample_rate=8000, n_channels=2, total_length=9)
    tags = Tags(title="bell\x07 \x00", artist="\udce9", comment="a\tb")
    write_daw_project(path, DawProject(sounds={}, tracks=()), {}, signal, tags)
    assert [element.text for element in Project(path).metadata] == ["bell\ufffd \ufffd", "\ufffd", "a\tb"]


def test_the_same_song_gives_the_same_file(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    files = [
        separate_file(small_separator, song, tmp_path / name, output=PROJECT).files["dawproject"]
        for name in "ab"
    ]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_mono(tmp_path: Path) -> None:
    plugins = Plugins()
    plugins.register(SmallPlugin(tmp_path, small_card(n_channels=1)), "small")
    song = write_noise(tmp_path / "song.wav", n_channels=1)
    mono = Separator("small", plugins=plugins)
    (path,) = separate_file(mono, song, tmp_path, output=PROJECT).files.values()
    project = Project(path)
    assert {track["audio"]["channels"] for track in project.tracks().values()} == {"1"}
    assert project.sound("low").shape == (16000, 1)


def test_names_of_files(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    target = tmp_path / "x.DAWproject"
    separate_file(small_separator, song, {"dawproject": target}, output=PROJECT)
    Project(target)
    with pytest.raises(OutputOptionError, match="recognise"):
        separate_file(small_separator, song, {"dawproject": tmp_path / "x.zip"}, output=PROJECT)


def test_no_room_for_the_archive(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    """The sounds fit, and the archive does not."""
    with files_up_to(300_000), pytest.raises(OutputError) as caught:
        separate_file(small_separator, song, tmp_path / "out", output=PROJECT)
    assert caught.value.path == tmp_path / "out" / "song.dawproject"
    assert not (tmp_path / "out").exists()


def test_cancelling_while_the_archive_is_written(
    small_separator: Separator, song: Path, tmp_path: Path
) -> None:
    cancel = SetOnceThereIs(tmp_path / "out", "*.dawproject")
    with pytest.raises(CancelledError):
        separate_file(
            small_separator, song, tmp_path / "out", output=PROJECT, observer=Observer(cancel=cancel)
        )
    assert not (tmp_path / "out").exists()

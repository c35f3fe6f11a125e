"""Projects of REAPER, read back by two parsers that are not ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rpp
import rppxml
import soundfile

from stemdock import Output, Plugins, Separator, separate_file
from stemdock.cli.main import run
from stemdock.errors import OutputExistsError, OutputOptionError
from stemdock.output.colors import COLORS, GREY
from support.file_limits import files_up_to
from support.mixtures import SONG
from support.small_model import SmallPlugin, small_card, write_noise

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = Output(format="rpp")


class Track:
    """The values of a track with one item, whose lines may each occur once."""

    def __init__(self, element: rpp.Element) -> None:
        self.values = self._lines(element)
        (item,) = (child for child in element if getattr(child, "tag", None) == "ITEM")
        self.item = self._lines(item)
        (source,) = (child for child in item if isinstance(child, rpp.Element))
        self.type = source.attrib[0]
        ((_, self.file),) = source.children
        assert self.values["TRACKID"] == list(element.attrib)

    @staticmethod
    def _lines(element: rpp.Element) -> dict[str, list[str]]:
        lines = [child for child in element if not isinstance(child, rpp.Element)]
        assert len({line[0] for line in lines}) == len(lines)
        return {line[0]: list(line[1:]) for line in lines}

    @property
    def color(self) -> str:
        value = int(self.values["PEAKCOL"][0])
        assert value >> 24 == 1
        return "#" + value.to_bytes(4, "little")[:3].hex().upper()


def tracks_of(path: Path) -> dict[str, Track]:
    text = path.read_text("utf-8")
    project = rpp.loads(text)
    assert project.tag == "REAPER_PROJECT"
    other = rppxml.loads(text)
    assert other is not None
    assert text.count("<") == text.count("\n>") + len(re.findall(r"\n +>", text))
    found = [Track(element) for element in project.findall("TRACK")]
    guids = re.findall(r"\{[0-9A-F-]{36}\}", text)
    assert len(set(guids)) == 3 * len(found)  # each track names its own twice
    return {track.values["NAME"][0]: track for track in found}


@pytest.mark.parametrize("codec", ["wav", "flac", "mp3", "ogg", "opus"])
def test_a_project_and_its_sounds(small_separator: Separator, tmp_path: Path, codec: Any) -> None:
    song = write_noise(tmp_path / "my 'song'.wav", sample_rate=48000)
    output = Output(format="rpp", codec=codec, mixes={"quiet": ("low:-6dB", "high")})
    made = separate_file(small_separator, song, tmp_path / "out", output=output)
    folder = tmp_path / "out" / "my 'song'"
    assert made.packages == {"rpp": folder / "my 'song'.rpp"}
    assert list(made.stems) == ["low", "high"]
    assert list(made.mixes) == ["(mixture)", "quiet"]
    assert set(folder.parent.rglob("*")) == {
        folder, folder / "my 'song' media", *made.files.values()
    }  # fmt: skip
    tracks = tracks_of(made.packages["rpp"])
    assert list(tracks) == ["mixture", "low", "high", "quiet"]
    assert [track.values["MUTESOLO"][0] for track in tracks.values()] == ["1", "0", "0", "1"]
    assert [track.color for track in tracks.values()] == [GREY, COLORS[0], COLORS[1], GREY]
    types = {"wav": "WAVE", "flac": "FLAC", "mp3": "MP3", "ogg": "VORBIS", "opus": "OPUS"}
    for track, sound in zip(tracks.values(), ["(mixture)", "low", "high", "quiet"], strict=True):
        assert track.type == types[codec]
        assert track.file == f"my 'song' media/{sound}.{codec}"
        assert folder / track.file == made.files[sound]
        assert float(track.item["POSITION"][0]) == 0
        length = float(track.item["LENGTH"][0]) * 48000
        assert length == pytest.approx(16000, abs=1e-6)
        assert soundfile.info(folder / track.file).frames == round(length)
        assert track.item["LOOP"] == ["0"]
        assert track.item["NAME"] == track.values["NAME"]
    assert "\n  SAMPLERATE 48000 1 0\n" in made.packages["rpp"].read_text()


def test_the_sounds_are_those_of_single_files(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    made = separate_file(small_separator, song, tmp_path / "out", output=PROJECT)
    single = separate_file(small_separator, song, tmp_path / "single")
    for stem, path in single.stems.items():
        assert made.stems[stem].read_bytes() == path.read_bytes()
    mixture = soundfile.read(made.mixes["(mixture)"], dtype="float32")[0]
    np.testing.assert_allclose(mixture, soundfile.read(song, dtype="float32")[0], atol=1e-6)
    assert made.peaks["rpp"] == max(peak for name, peak in made.peaks.items() if name != "rpp")
    assert set(made.peaks) == set(made.clipped_lengths) == set(made.files)


def test_clipped_samples_count_once(small_separator: Separator, tmp_path: Path) -> None:
    song = write_noise(tmp_path / "loud.wav", level=4)
    made = separate_file(small_separator, song, tmp_path / "out", output=Output(format="rpp", bit_depth="16"))
    assert made.clipped_lengths["rpp"] == 0
    assert made.clipped_lengths["(mixture)"] > 0
    packed = Output(format="dawproject", bit_depth="16")
    project = separate_file(small_separator, song, tmp_path / "out", output=packed)
    assert project.clipped_lengths == {"dawproject": sum(made.clipped_lengths.values())}


def test_title_and_artist(small_separator: Separator, tmp_path: Path) -> None:
    made = separate_file(small_separator, SONG, tmp_path, output=Output(format="rpp", stems=("low",)))
    project = rpp.loads(made.packages["rpp"].read_text("utf-8"))
    (title,) = project.findall("TITLE")
    assert "Slow Motion Dream" in title[1]
    (author,) = project.findall("AUTHOR")
    assert author[1] == "Steven M Bryant"


def test_chosen_places(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    targets = {"rpp": tmp_path / "a" / "p.RPP", "low": tmp_path / "b" / "l.wav"}
    made = separate_file(small_separator, song, targets, output=PROJECT)
    assert made.stems == {"low": targets["low"], "high": tmp_path / "a" / "p media" / "high.wav"}
    files = [track.file for track in tracks_of(targets["rpp"]).values()]
    assert files == ["p media/(mixture).wav", "../b/l.wav", "p media/high.wav"]
    with pytest.raises(OutputOptionError, match="recognise"):
        separate_file(small_separator, song, {"rpp": tmp_path / "x.txt"}, output=PROJECT)


def test_mono(song: Path, tmp_path: Path) -> None:
    plugins = Plugins()
    plugins.register(SmallPlugin(tmp_path, small_card(n_channels=1)), "small")
    mono = write_noise(tmp_path / "mono.wav", n_channels=1)
    made = separate_file(Separator("small", plugins=plugins), mono, tmp_path / "out", output=PROJECT)
    assert {soundfile.info(path).channels for path in (*made.stems.values(), *made.mixes.values())} == {1}
    assert song.exists()


def test_nothing_is_replaced_or_left(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    taken = tmp_path / "out" / "song" / "song media" / "high.wav"
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"precious")
    with pytest.raises(OutputExistsError):
        separate_file(small_separator, song, tmp_path / "out", output=PROJECT)
    assert taken.read_bytes() == b"precious"
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path != taken]
    with files_up_to(100_000), pytest.raises(OSError, match="cannot be written"):
        separate_file(small_separator, song, tmp_path / "full", output=PROJECT)
    assert not (tmp_path / "full").exists()


@pytest.mark.slow
def test_the_command(
    plugins: Plugins, song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["separate", str(song), "-m", "small", "-o", str(tmp_path / "out"), "--as", "rpp"]
    assert run(command, plugins) == 0
    project = tmp_path / "out" / "song" / "song.rpp"
    sounds = [project.parent / "song media" / f"{name}.wav" for name in ("(mixture)", "low", "high")]
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(map(str, [project, *sounds]))
    assert run(command, plugins) == 1
    assert "already exists" in capsys.readouterr().err
    assert run([*command, "--resume"], plugins) == 0
    assert capsys.readouterr().out == ""
    sounds[1].write_bytes(b"changed")
    assert run([*command, "--resume", "--overwrite"], plugins) == 0
    assert soundfile.info(sounds[1]).frames == 16000
    capsys.readouterr()
    assert run([*command, "-o", "-"], plugins) == 2
    assert "this run writes 4" in capsys.readouterr().err
    assert run([*command, "-f", "{title}.rpp", "-o", str(tmp_path / "flat")], plugins) == 0
    assert tracks_of(tmp_path / "flat" / "song.rpp")["low"].file == "song media/low.wav"


def test_two_songs_in_one_folder_keep_their_sounds_apart(plugins: Plugins, tmp_path: Path) -> None:
    songs = [str(write_noise(tmp_path / f"{name}.wav")) for name in ("a", "b")]
    command = ["separate", *songs, "-m", "small", "-o", str(tmp_path / "out"), "--as", "rpp"]
    assert run([*command, "-f", "{filename}.rpp"], plugins) == 0
    for name in ("a", "b"):
        files = [track.file for track in tracks_of(tmp_path / "out" / f"{name}.rpp").values()]
        assert all((tmp_path / "out" / file).is_file() for file in files)
        assert files[0] == f"{name} media/(mixture).wav"

"""Projects of Audacity, read as it reads them; tests/hosts/audacity opens them in Audacity."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from stemdock import AudacityTrack, Output, Plugins, Separator, audacity_project, separate_file
from stemdock.cli.main import run
from stemdock.errors import OutputError, OutputExistsError, OutputOptionError
from stemdock.output.tags import Tags
from support.file_limits import files_up_to
from support.mixtures import SONG
from support.small_model import SmallPlugin, small_card, write_noise

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PROJECT = Output(format="audacity")
SPACES = {"": "http://audacity.sourceforge.net/xml/"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """A channel of a track."""

    name: str
    channel: str
    linked: str
    mute: str
    color: str
    rate: str
    offset: float
    length: int
    samples: NDArray[np.float32]


def waves(path: Path) -> list[Wave]:
    """Reads the samples by name in the data folder, or by absolute path, as Audacity does."""
    content = path.read_bytes()
    # Audacity looks for these in the first 256 bytes.
    assert content.startswith(b"<?xml")
    assert b"<project" in content[:256]
    root = ET.fromstring(content)  # noqa: S314  our own
    assert {"version", "audacityversion", "rate"} < set(root.attrib)
    data = path.with_name(root.attrib["projname"])
    assert data.is_dir()
    summaries = [each.attrib["summaryfile"] for each in root.iter() if "summaryfile" in each.attrib]
    assert len(set(summaries)) == len(summaries)
    return [_wave(data, each) for each in root.findall("wavetrack", SPACES)]


def _wave(data: Path, element: ET.Element) -> Wave:
    (clip,) = element.findall("waveclip", SPACES)
    (sequence,) = clip.findall("sequence", SPACES)
    assert sequence.attrib["sampleformat"] == "262159"
    parts: list[NDArray[np.float32]] = []
    for block in sequence.findall("waveblock", SPACES):
        (alias,) = block
        start, length = int(alias.attrib["aliasstart"]), int(alias.attrib["aliaslen"])
        assert start == int(block.attrib["start"]) == sum(part.size for part in parts)
        assert 0 < length <= int(sequence.attrib["maxsamples"])
        sound = soundfile.read(
            data / alias.attrib["aliasfile"], length, start, dtype="float32", always_2d=True
        )[0]
        parts.append(sound[:, int(alias.attrib["aliaschannel"])])
    attributes = element.attrib
    assert attributes["name"] == clip.attrib["name"]
    return Wave(
        name=attributes["name"], channel=attributes["channel"], linked=attributes["linked"],
        mute=attributes["mute"], color=attributes["colorindex"], rate=attributes["rate"],
        offset=float(clip.attrib["offset"]), length=int(sequence.attrib["numsamples"]),
        samples=np.concatenate(parts) if parts else np.empty(0, np.float32),
    )  # fmt: skip


def test_a_project_and_its_sounds(small_separator: Separator, tmp_path: Path) -> None:
    song = write_noise(tmp_path / "my 'song' & ünï 東京.wav", sample_rate=48000)
    output = Output(format="audacity", mixes={"it's & quiet": ("low:-6dB", "high")})
    made = separate_file(small_separator, song, tmp_path / "out", output=output)
    name = song.stem
    folder = tmp_path / "out" / name
    assert made.packages == {"audacity": folder / f"{name}.aup"}
    assert list(made.stems) == ["low", "high"]
    assert list(made.mixes) == ["(mixture)", "it's & quiet"]
    assert made.stems["low"] == folder / f"{name}_data" / f"{name} low.wav"
    assert set(folder.parent.rglob("*")) == {folder, folder / f"{name}_data", *made.files.values()}
    moved = folder.rename(tmp_path / "moved")
    found = waves(moved / f"{name}.aup")
    sounds = [*({**made.mixes, **made.stems}[each] for each in ("(mixture)", "low", "high", "it's & quiet"))]
    assert [(wave.name, wave.mute, wave.color) for wave in found[::2]] == [
        ("mixture", "1", "0"), ("low", "0", "1"), ("high", "0", "2"), ("it's & quiet", "1", "0"),
    ]  # fmt: skip
    for left, right, sound in zip(found[::2], found[1::2], sounds, strict=True):
        assert (left.channel, left.linked, right.channel, right.linked) == ("0", "1", "1", "0")
        assert (left.rate, left.offset, left.length) == ("48000", 0, 16000)
        expected = soundfile.read(moved / f"{name}_data" / sound.name, dtype="float32")[0]
        assert np.array_equal(np.stack([left.samples, right.samples], 1), expected)


def test_the_sounds_are_those_of_single_files(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    made = separate_file(small_separator, song, tmp_path / "out", output=PROJECT)
    single = separate_file(small_separator, song, tmp_path / "single")
    for stem, path in single.stems.items():
        assert made.stems[stem].read_bytes() == path.read_bytes()
    mixture = soundfile.read(made.mixes["(mixture)"], dtype="float32")[0]
    np.testing.assert_allclose(mixture, soundfile.read(song, dtype="float32")[0], atol=1e-6)


@pytest.mark.parametrize("length", [0, 1, 262143, 262144, 262145, 2 * 262144 + 5])
def test_blocks_hold_all_samples(tmp_path: Path, length: int) -> None:
    samples = np.random.default_rng(length).uniform(-1, 1, (length, 2)).astype(np.float32)
    (tmp_path / "a_data").mkdir()
    soundfile.write(tmp_path / "a_data/s.wav", samples, 8000, subtype="FLOAT")
    track = AudacityTrack(name="s", audio="s.wav", sample_rate=8000, n_channels=2, length=length)
    (tmp_path / "a.aup").write_bytes(audacity_project([track], "a_data", 8000))
    left, right = waves(tmp_path / "a.aup")
    assert np.array_equal(np.stack([left.samples, right.samples], 1), samples)


@pytest.mark.parametrize(
    ("n_channels", "channels", "linked"),
    [(1, ["2"], ["0"]), (2, ["0", "1"], ["1", "0"]), (3, ["2", "2", "2"], ["0", "0", "0"])],
)
def test_channels(n_channels: int, channels: list[str], linked: list[str]) -> None:
    track = AudacityTrack(name="a", audio="a.wav", sample_rate=8000, n_channels=n_channels, length=9)
    root = ET.fromstring(audacity_project([track], "a_data", 8000))  # noqa: S314  our own
    tracks = [each.attrib for each in root.findall("wavetrack", SPACES)]
    assert [each["channel"] for each in tracks] == channels
    assert [each["linked"] for each in tracks] == linked
    aliases = [each.attrib["aliaschannel"] for each in root.iter() if "aliaschannel" in each.attrib]
    assert aliases == [str(number) for number in range(n_channels)]


@given(st.text(), st.text())
def test_texts_arrive(name: str, title: str) -> None:
    track = AudacityTrack(name=name, audio="a.wav", sample_rate=8000, n_channels=1, length=9)
    content = audacity_project([track], "a_data", 8000, Tags(title=title, date="1999-05"))
    root = ET.fromstring(content)  # noqa: S314  our own
    (wave,) = root.findall("wavetrack", SPACES)
    if name.isprintable():
        assert wave.attrib["name"] == name
    tags = {each.attrib["name"]: each.attrib["value"] for each in root.findall("tags/tag", SPACES)}
    assert tags["YEAR"] == "1999"
    assert ("TITLE" in tags) == bool(title)
    if title and title.isprintable():
        assert tags["TITLE"] == title


def test_tags_of_a_song(small_separator: Separator, tmp_path: Path) -> None:
    made = separate_file(small_separator, SONG, tmp_path, output=PROJECT)
    root = ET.fromstring(made.packages["audacity"].read_bytes())  # noqa: S314  our own
    tags = {each.attrib["name"]: each.attrib["value"] for each in root.findall("tags/tag", SPACES)}
    assert tags.keys() >= {"TITLE", "ARTIST"}
    bare = Output(format="audacity", copy_tags=False)
    made = separate_file(small_separator, SONG, tmp_path / "bare", output=bare)
    assert b"<tag " not in made.packages["audacity"].read_bytes()


def test_mono(tmp_path: Path) -> None:
    plugins = Plugins()
    plugins.register(SmallPlugin(tmp_path, small_card(n_channels=1)), "small")
    mono = write_noise(tmp_path / "mono.wav", n_channels=1)
    made = separate_file(Separator("small", plugins=plugins), mono, tmp_path / "out", output=PROJECT)
    assert [wave.channel for wave in waves(made.packages["audacity"])] == ["2"] * 3


def test_chosen_places(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    """Sounds outside the data folder have their whole path; without one, Audacity opens no project."""
    targets = {"audacity": tmp_path / "a" / "p.aup", "low": tmp_path / "b" / "l.wav"}
    made = separate_file(small_separator, song, targets, output=PROJECT)
    assert made.stems == {"low": targets["low"], "high": tmp_path / "a/p_data/p high.wav"}
    assert len(waves(targets["audacity"])) == 6
    everything = {name: tmp_path / "c" / f"{name}.wav" for name in ("(mixture)", "low", "high")}
    with pytest.raises(OutputError, match="a folder of sounds beside it"):
        separate_file(small_separator, song, {"audacity": tmp_path / "d/p.aup", **everything}, output=PROJECT)
    assert not (tmp_path / "c").exists()
    with pytest.raises(OutputOptionError, match="recognise"):
        separate_file(small_separator, song, {"audacity": tmp_path / "x.aup3"}, output=PROJECT)


@pytest.mark.parametrize("name", ["n" * 250, "東" * 83])
def test_long_names(small_separator: Separator, tmp_path: Path, name: str) -> None:
    song = write_noise(tmp_path / f"{name}.wav")
    output = Output(format="audacity", mixes={"m" * 100: ("low", "high")})
    made = separate_file(small_separator, song, tmp_path / "out", output=output)
    assert len(waves(made.packages["audacity"])) == 8
    assert max(len(os.fsencode(path.name)) for path in made.files.values()) <= 240


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that are not UTF-8")
@pytest.mark.parametrize(
    ("project", "folder", "subject"),
    [("BAD.aup", "song_data", "its name|of a sound"), ("song.aup", "BAD", "its name"),
     ("song.aup", "BAD/sounds", "of a sound")],
)  # fmt: skip
def test_names_that_audacity_could_not_read(
    small_separator: Separator, song: Path, tmp_path: Path, project: str, folder: str, subject: str
) -> None:
    """In the names of the project, of its data folder, and of a folder of sounds elsewhere."""
    bad = os.fsdecode(b"b\xe9d")
    out = tmp_path / "out"
    names = ("low", "high") if "/" in folder else ("(mixture)", "low", "high")
    places = {name: out / folder.replace("BAD", bad) / f"{name}.wav" for name in names}
    targets = {"audacity": out / project.replace("BAD", bad), **(places if folder != "song_data" else {})}
    with pytest.raises(OutputError, match=f"({subject}) .*not UTF-8"):
        separate_file(small_separator, song, targets, output=PROJECT)
    assert not out.exists()


@pytest.mark.parametrize("name", ["(mixture).wav", "low.wav"])
def test_nothing_is_replaced(small_separator: Separator, song: Path, tmp_path: Path, name: str) -> None:
    taken = tmp_path / "out/song/song_data" / f"song {name}"
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"mine")
    with pytest.raises(OutputExistsError):
        separate_file(small_separator, song, tmp_path / "out", output=PROJECT)
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [taken]


def test_a_full_disk_leaves_nothing(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    with files_up_to(20_000), pytest.raises(OutputError):
        separate_file(small_separator, song, tmp_path / "out", output=PROJECT)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [song]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--codec", "flac"], "cannot contain flac"),
        (["--template", "{filename}.aup3"], "End it with .aup."),
    ],
)
def test_options_that_do_not_fit(
    plugins: Plugins, song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    options: list[str], message: str,
) -> None:  # fmt: skip
    command = ["separate", str(song), "-m", "small", "--as", "audacity", "-o", str(tmp_path / "out")]
    assert run([*command, *options], plugins) == 2
    assert message in " ".join(capsys.readouterr().err.split())

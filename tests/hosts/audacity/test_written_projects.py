"""Projects of `separate --as audacity`, opened and imported by a real Audacity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from stemdock import AudacityTrack, Output, Plugins, Separator, audacity_project, separate_file
from stemdock.output.tags import Tags
from support.small_model import SmallPlugin, small_card

if TYPE_CHECKING:
    from pathlib import Path

    from hosts.audacity.desktop import Desktop
    from stemdock import SeparatedFile

MIXES = {"it's & quiet": ("low:-6dB", "high")}
TRACKS = [("mixture", True), ("low", False), ("high", False), ("it's & quiet", True)]
PRECISION = 1e-5
"""Seconds: Audacity reports times with so many digits."""


def noise(path: Path, length: int, sample_rate: int, n_channels: int) -> Path:
    samples = np.random.default_rng(length).uniform(-0.5, 0.5, (length, n_channels)).astype(np.float32)
    soundfile.write(path, samples, sample_rate, subtype="FLOAT")
    return path


def separated(song: Path, folder: Path, output: Output) -> SeparatedFile:
    plugins = Plugins()
    plugins.register(SmallPlugin(folder, small_card(n_channels=soundfile.info(song).channels)), "small")
    return separate_file(Separator("small", plugins=plugins), song, folder / "out", output=output)


@pytest.mark.parametrize("command", ["Import2", "OpenProject2"])
def test_all_tracks_with_all_samples(desktop: Desktop, tmp_path: Path, command: str) -> None:
    song = noise(tmp_path / "my song & ünï.wav", 300_000, 44100, 2)
    made = separated(song, tmp_path, Output(format="audacity", mixes=MIXES))
    # Where the project is does not matter, and Audacity needs nothing of it later.
    folder = made.packages["audacity"].parent.rename(tmp_path / "moved")
    wanted = [
        soundfile.read(folder / f"{song.stem}_data" / made.files[name].name, dtype="float32")[0]
        for name in ("(mixture)", *(name for name, _ in TRACKS[1:]))
    ]
    # OpenProject2 reports a failure unless the window gets a file of its own, so its answer says nothing.
    desktop.run(command, Filename=str(folder / f"{song.stem}.aup"))
    folder.rename(tmp_path / "elsewhere")
    tracks = desktop.tracks()
    assert [(track.name, track.mute) for track in tracks] == TRACKS
    assert {track.start for track in tracks} == {0.0}
    assert [track.end for track in tracks] == pytest.approx([300_000 / 44100] * 4, abs=PRECISION)
    assert desktop.dialogs() == []
    desktop.do("SelectAll")
    desktop.do("SetTrackAudio", Mute=0)
    for number, expected in enumerate(wanted):
        path = desktop.export(tmp_path / f"{number}.wav", 0.0, 300_000 / 44100, number)
        found, rate = soundfile.read(path, dtype="float32")
        assert rate == 44100
        assert np.array_equal(found, expected)


def test_mono_at_another_rate(desktop: Desktop, tmp_path: Path) -> None:
    song = noise(tmp_path / "song.wav", 100_000, 48000, 1)
    made = separated(song, tmp_path, Output(format="audacity", bit_depth="16"))
    desktop.do("Import2", Filename=str(made.packages["audacity"]))
    tracks = desktop.tracks()
    assert [(track.name, track.mute) for track in tracks] == TRACKS[:3]
    assert [track.end for track in tracks] == pytest.approx([100_000 / 48000] * 3, abs=PRECISION)
    assert desktop.dialogs() == []


def test_tags(desktop: Desktop, tmp_path: Path) -> None:
    (tmp_path / "song_data").mkdir()
    noise(tmp_path / "song_data/song.wav", 50_000, 44100, 2)
    track = AudacityTrack(name="song", audio="song.wav", sample_rate=44100, n_channels=2, length=50_000)
    tags = Tags(
        title='"Rock" & röll', artist="an artist", album="an album", tracknumber="7", date="1999-12-31",
        genre="Polka", comment="a comment",
    )  # fmt: skip
    project = tmp_path / "song.aup"
    project.write_bytes(audacity_project([track], "song_data", 44100, tags))
    desktop.run("OpenProject2", Filename=str(project))
    desktop.do("SelectAll")
    desktop.do("Export2", Filename=str(tmp_path / "song.flac"), NumChannels=2)
    with soundfile.SoundFile(tmp_path / "song.flac") as file:
        found = file.copy_metadata()
    assert found == {
        "title": tags.title, "artist": tags.artist, "album": tags.album, "tracknumber": "7",
        "date": "1999", "genre": "Polka", "comment": "a comment",
    }  # fmt: skip

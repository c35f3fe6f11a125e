"""Tracks and selections of every kind, asked for by the plug-in's command instead of its dialog."""

# ruff: noqa: RUF001  the names of the tracks have an en dash
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from hosts.audacity.desktop import headless, summary

if TYPE_CHECKING:
    from pathlib import Path

    from hosts.audacity.desktop import Desktop

ODD_NAME = 'Größe "A" a/b\\c & <日本>'


def separate(desktop: Desktop, **options: str) -> str:
    n_outcomes = len(desktop.outcomes())
    chosen = {"original": "Leave as it is", **options}
    desktop.run("SeparateStems", **{f"chosen{key}": value for key, value in chosen.items()})
    return desktop.wait_for_outcome(n_outcomes)


def excerpt(source: Path, start: float, end: float, path: Path) -> Path:
    samples, sample_rate = soundfile.read(source, dtype="float32")
    part = samples[round(start * sample_rate) : round(end * sample_rate)]
    soundfile.write(path, part, sample_rate, subtype="FLOAT")
    return path


def sounds(desktop: Desktop, path: Path, rate: int, start: float, end: float, track: int) -> np.ndarray:
    desktop.do("SetProject", Rate=rate)
    desktop.export(path, start, end, track)
    desktop.do("SetProject", Rate=44100)
    samples: np.ndarray = soundfile.read(path, dtype="float32", always_2d=True)[0]
    return samples


def test_an_engine_of_another_package_is_in_the_dialog_and_makes_its_stems(
    desktop: Desktop, song: Path, tmp_path: Path
) -> None:
    desktop.import_audio(song)
    desktop.select(2.0, 6.0, 0)
    assert ": done" in separate(desktop, model="hpss")
    after = desktop.tracks()
    assert [track.name for track in after[1:]] == ["harmonic – song", "percussive – song"]
    assert [(track.start, track.end) for track in after[1:]] == [(2.0, 6.0)] * 2
    harmonic, percussive = (
        sounds(desktop, tmp_path / f"{track}.wav", 44100, 2.0, 6.0, track) for track in (1, 2)
    )
    part = excerpt(song, 2.0, 6.0, tmp_path / "mixture.wav")
    expected = headless(desktop, part, tmp_path / "stems", "--model", "hpss")
    np.testing.assert_allclose(harmonic, expected["harmonic"], atol=1e-6)
    np.testing.assert_allclose(percussive, expected["percussive"], atol=1e-6)
    np.testing.assert_allclose(harmonic + percussive, soundfile.read(part)[0], atol=1e-4)


def test_mono_48_khz_two_tracks_and_past_the_end(
    desktop: Desktop, song: Path, mono_song: Path, tmp_path: Path
) -> None:
    desktop.import_audio(song, mono_song)
    desktop.select(8.0, 20.0, 0, 1)
    before = desktop.tracks()
    assert ": done" in separate(desktop)

    after = desktop.tracks()
    assert after[:2] == before
    assert [track.name for track in after[2:]] == [
        "vocals – song", "accompaniment – song", "vocals – mono48", "accompaniment – mono48",
    ]  # fmt: skip
    ends = [before[0].end, before[0].end, before[1].end, before[1].end]
    assert [(track.start, track.end) for track in after[2:]] == [(8.0, end) for end in ends]
    for place, source, rate in ((2, song, 44100), (4, mono_song, 48000)):
        length = soundfile.info(source).frames
        part = excerpt(source, 8.0, 30, tmp_path / f"{source.stem}.wav")
        wanted = headless(desktop, part, tmp_path / "headless")["vocals"]
        found = sounds(desktop, tmp_path / f"{place}.wav", rate, 8.0, length / rate, place)
        difference = np.abs(found - wanted).max()
        print(f"{source.stem}: greatest difference {difference:g}")  # noqa: T201  the figure is wanted
        assert difference == 0
    desktop.do("Undo")
    assert summary(desktop.tracks()) == summary(before)


@pytest.mark.parametrize("case", ["odd name", "muted", "soloed", "panned and faint"])
def test_state_of_tracks_does_not_matter(
    desktop: Desktop, song: Path, mono_song: Path, tmp_path: Path, case: str
) -> None:
    desktop.import_audio(mono_song, song)
    desktop.select(2.0, 4.0, 1)
    if case == "odd name":
        desktop.do("SetTrackStatus", Name=ODD_NAME)
    elif case == "muted":
        desktop.do("SetTrackAudio", Mute=1)
    elif case == "panned and faint":
        desktop.do("SetTrackAudio", Pan=-100, Gain=-20)
    else:
        desktop.select(2.0, 4.0, 0)
        desktop.do("SetTrackAudio", Solo=1)
        desktop.select(2.0, 4.0, 1)
    before = desktop.tracks()
    assert ": done" in separate(desktop)

    after = desktop.tracks()
    assert after[:2] == before
    name = ODD_NAME if case == "odd name" else "song"
    assert [track.name for track in after[2:]] == [f"vocals – {name}", f"accompaniment – {name}"]
    desktop.select(0, 1, 0)
    desktop.do("SetTrackAudio", Solo=0)
    part = excerpt(song, 2.0, 4.0, tmp_path / "part.wav")
    wanted = headless(desktop, part, tmp_path / "headless")["accompaniment"]
    assert np.array_equal(sounds(desktop, tmp_path / "found.wav", 44100, 2.0, 4.0, 3), wanted)


def test_one_stem_and_everything_else_with_the_original_muted(
    desktop: Desktop, song: Path, mono_song: Path, tmp_path: Path
) -> None:
    desktop.import_audio(mono_song, song)
    desktop.select(2.0, 4.0, 1)
    before = desktop.tracks()
    outcome = separate(desktop, stems="Only vocals", rest="As one more track", original="Mute")
    assert ": done" in outcome, outcome

    after = desktop.tracks()
    assert [track.name for track in after[2:]] == ["vocals – song", "everything but vocals – song"]
    assert [track.mute for track in after] == [False, True, False, False]
    assert [track.selected for track in after] == [False, True, False, False]
    parts = [sounds(desktop, tmp_path / f"{n}.wav", 44100, 2.0, 4.0, n) for n in (2, 3)]
    part = soundfile.read(excerpt(song, 2.0, 4.0, tmp_path / "part.wav"), dtype="float32")[0]
    assert np.abs(parts[0] + parts[1] - part).max() < 1e-6
    desktop.do("Undo")
    assert summary(desktop.tracks()) == summary(before)


def test_requests_queue(desktop: Desktop, song: Path) -> None:
    desktop.import_audio(song)
    n_outcomes = len(desktop.outcomes())
    for start in (1.0, 2.0, 3.0):
        desktop.select(start, start + 1.5, 0)
        desktop.run("SeparateStems")
    desktop.wait_for_outcome(n_outcomes + 2)
    assert [track.start for track in desktop.tracks()[1:]] == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]
    assert len(desktop.processes("stemdock_hostkit.worker")) == 1
    assert desktop.leftovers() == []


def test_from_a_terminal(desktop: Desktop, song: Path, mono_song: Path) -> None:
    desktop.import_audio(mono_song, song)
    desktop.select(2.0, 4.0, 1)
    before = desktop.tracks()
    done = desktop.cli("audacity", "separate", "--stem", "vocals", "--remainder", "--mute")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["vocals – song", "everything but vocals – song"]
    after = desktop.tracks()
    assert [track.name for track in after[2:]] == done.stdout.splitlines()
    assert after[1].mute
    assert [(track.start, track.end) for track in after[2:]] == [(2.0, 4.0)] * 2
    desktop.do("Undo")
    assert summary(desktop.tracks()) == summary(before)
    assert desktop.leftovers() == []

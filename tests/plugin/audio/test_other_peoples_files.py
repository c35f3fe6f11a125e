"""Files as they are out there: as long as ffmpeg decodes them, or with a word about what is missing."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from stemdock import audio_info, open_audio
from stemdock.errors import AudioFileError
from support import other_peoples_files as files
from support.mixtures import SONG

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from stemdock import Damage

pytestmark = [pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg"), pytest.mark.slow]


def read(path: Path, *, track: int | None = None) -> tuple[NDArray[np.float32], int, list[Damage]]:
    """All samples, their rate, and the damage."""
    with open_audio(path, "auto", track=track) as audio:
        return np.concatenate(list(audio.blocks)), audio.sample_rate, audio.damage


def copied(folder: Path) -> Path:
    path = folder / "song.mp3"
    shutil.copy(SONG, path)
    return path


INTACT: Final[dict[str, Callable[[Path], Path]]] = {
    "mp3 without a length": lambda folder: files.piped(folder, "a.mp3", "-q:a", "4", "-f", "mp3"),
    "mp3 at 8 kHz": files.low_rate,
    "mp3 without Xing": lambda folder: files.song_as(folder, "a.mp3", "-write_xing", "0"),
    "mp2": lambda folder: files.song_as(folder, "a.mp2"),
    "flac without a length": lambda folder: files.piped(folder, "a.flac", "-f", "flac"),
    "flac that announces too little": lambda folder: files.with_fewer_samples(
        files.song_as(folder, "a.flac")
    ),
    "chained ogg": lambda folder: files.chained(folder, "a.ogg"),
    "chained opus": lambda folder: files.chained(folder, "a.opus"),
    "wav of a crashed recorder": lambda folder: files.crashed(files.song_as(folder, "a.wav")),
    "wav from a pipe": lambda folder: files.piped(folder, "a.wav", "-f", "wav"),
    "m4a": lambda folder: files.song_as(folder, "a.m4a"),
    "opus in mka": lambda folder: files.song_as(folder, "a.mka", "-c:a", "libopus"),
    "wma": lambda folder: files.song_as(folder, "a.wma"),
    "webm": lambda folder: files.song_as(folder, "a.webm", "-c:a", "libvorbis"),
    "flac with frames behind the end": lambda folder: files.joined(
        folder, "b.flac", *2 * [files.song_as(folder, "a.flac")]
    ),
    "eac3": lambda folder: files.song_as(folder, "a.eac3"),
}  # fmt: skip


@pytest.mark.parametrize("kind", INTACT)
def test_an_intact_file_is_as_long_as_ffmpeg_decodes_it(tmp_path: Path, kind: str) -> None:
    path = INTACT[kind](tmp_path)
    samples, _, damage = read(path)
    assert len(samples) == files.ffmpeg_length(path)
    assert damage == []


DAMAGED: Final[dict[str, Callable[[Path], Path]]] = {
    "joined mp3": lambda folder: files.joined(folder, "a.mp3", SONG, SONG),
    "mono, then stereo": files.mono_then_stereo,
    "zeros in mp3": lambda folder: files.with_hole(copied(folder)),
    "noise behind mp3": lambda folder: files.with_tail(copied(folder), b"\x12\xff\xfb\x00 noise" * 128),
    "cut mp3": lambda folder: files.cut(copied(folder)),
    "cut flac": lambda folder: files.cut(files.song_as(folder, "a.flac")),
    "cut ogg": lambda folder: files.cut(files.song_as(folder, "a.ogg")),
    "cut wav": lambda folder: files.cut(files.song_as(folder, "a.wav")),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_as_long_as_ffmpeg_decodes_it_and_says_so(tmp_path: Path, kind: str) -> None:
    path = DAMAGED[kind](tmp_path)
    samples, _, damage = read(path)
    assert len(samples) == files.ffmpeg_length(path)
    assert damage


HOLES: Final[dict[str, Callable[[Path], Path]]] = {
    "m4a": lambda folder: files.with_hole(files.song_as(folder, "a.m4a"), 20_000),
    "flac": lambda folder: files.with_hole(files.song_as(folder, "a.flac"), 2000),
    "ogg": lambda folder: files.with_hole(files.song_as(folder, "a.ogg"), 2000),
    "opus": lambda folder: files.with_hole(files.song_as(folder, "a.opus"), 2000),
}


@pytest.mark.parametrize("kind", HOLES)
def test_silence_keeps_the_time_of_what_is_behind_a_hole(tmp_path: Path, kind: str) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    options = ["-c:a", "libopus"] if kind == "opus" else []
    expected, _, _ = read(files.song_as(whole, f"a.{kind}", *options))
    samples, rate, damage = read(HOLES[kind](tmp_path))
    assert len(samples) == len(expected)
    # Decoders remember what was before, but a shift by a sample would make a greater difference.
    difference = samples[-2 * rate :] - expected[-2 * rate :]
    assert np.sum(difference**2) < 0.01 * np.sum(expected[-2 * rate :] ** 2)
    silence = [place for place in damage if place.kind == "silence"]
    assert silence
    for place in silence:
        first = round(place.start * rate)
        assert not samples[first : first + round(place.duration * rate)].any()


def test_silence_takes_the_place_of_an_mp3_frame_that_cannot_be_decoded(tmp_path: Path) -> None:
    """Every frame has its header, so the time of each is known."""
    expected, rate, _ = read(SONG)
    path = files.with_impossible_frame(copied(tmp_path), 200)
    samples, _, damage = read(path)
    assert len(samples) == len(expected)
    assert [(place.duration, place.kind) for place in damage] == [(1152 / rate, "silence")]
    # The decoder needs two frames to recover.
    behind = round((damage[0].start + damage[0].duration) * rate) + 2 * 1152
    np.testing.assert_allclose(samples[behind:], expected[behind:], atol=1e-3)
    assert files.ffmpeg_length(path) == len(expected) - 1152


def test_without_ffmpeg_an_mp3_frame_that_cannot_be_decoded_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = files.with_impossible_frame(copied(tmp_path), 200)
    monkeypatch.setenv("PATH", "")
    _, rate, damage = read(path)
    assert [(place.duration, place.kind) for place in damage] == [(1152 / rate, "invalid")]


def test_most_of_an_m4a_is_damaged(tmp_path: Path) -> None:
    """By itself, ffmpeg counts it as a failure if two thirds of the frames are."""
    samples, _, damage = read(files.with_hole(files.song_as(tmp_path, "a.m4a"), 150_000, fraction=0.1))
    assert damage
    assert len(samples) == pytest.approx(files.SAMPLES, abs=2048)


def test_ffmpeg_gives_up_in_the_middle(tmp_path: Path) -> None:
    """Noise can look like a frame with other channels, which its filters do not accept."""
    path = files.song_as(tmp_path, "a.m4a")
    data = path.read_bytes()
    start, size = int(len(data) * 0.1), int(len(data) * 0.75)
    noise = np.random.default_rng(0).integers(0, 256, size, np.uint8).tobytes()
    path.write_bytes(data[:start] + noise + data[start + size :])
    samples, _, damage = read(path)
    assert len(samples) == files.ffmpeg_length(path)
    assert damage[-1].kind == "end"


def test_an_ffmpeg_that_crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = files.song_as(tmp_path, "a.m4a")
    program = tmp_path / "ffmpeg"
    program.write_text(f'#!/bin/sh\n{shutil.which("ffmpeg")} "$@" | head -c 2000000\nkill -9 $$\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(AudioFileError, match="ffmpeg crashed at"):
        read(path)


def test_what_is_behind_the_last_frame_of_flac(tmp_path: Path) -> None:
    path = files.song_as(tmp_path, "a.flac")
    files.with_tail(path, b"TAG" + bytes(125))
    samples, _, damage = read(path)
    assert len(samples) == files.SAMPLES
    assert damage == []
    path = files.song_as(tmp_path, "a.flac")
    samples, _, damage = read(files.with_tail(path, b"no music " * 5000))
    assert len(samples) == files.SAMPLES
    assert damage


def test_the_missing_end_is_measured(tmp_path: Path) -> None:
    for name in ("a.wav", "a.flac"):
        samples, rate, damage = read(files.cut(files.song_as(tmp_path, name)))
        assert damage[-1].kind == "end"
        assert damage[-1].start == pytest.approx(len(samples) / rate)
        assert damage[-1].start + damage[-1].duration == pytest.approx(files.SAMPLES / rate, abs=0.01)


def test_sound_that_starts_late_keeps_its_time(tmp_path: Path) -> None:
    early, rate, _ = read(files.video(tmp_path, "early.mp4"))
    late, _, damage = read(files.video(tmp_path, "late.mp4", delay=2.0))
    assert damage == []
    shift = len(late) - len(early)
    assert shift == pytest.approx(2 * rate, abs=0.03 * rate)
    # The encoder's first frame, which is before the song, sounds a little.
    assert not late[: shift - 1024].any()
    np.testing.assert_allclose(late[shift:], early, atol=1e-6)


@pytest.mark.parametrize(("default", "track", "length"), [
    (0, None, 3 * 44100), (1, None, files.SAMPLES), (0, 2, files.SAMPLES), (1, 1, 3 * 44100),
])  # fmt: skip
def test_which_track(tmp_path: Path, default: int, track: int | None, length: int) -> None:
    samples, _, damage = read(files.two_tracks(tmp_path, default=default), track=track)
    assert len(samples) == length
    assert damage == []


def test_a_track_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="no audio track 3; the last one is 2"):
        read(files.two_tracks(tmp_path, default=0), track=3)
    with pytest.raises(AudioFileError, match="no audio track 2"):
        read(SONG, track=2)


def test_dsd_has_a_usual_rate(tmp_path: Path) -> None:
    info = audio_info(files.dsd(tmp_path))
    assert info.sample_rate == 88200
    assert info.duration == pytest.approx(1, abs=0.02)


def _silent_video(folder: Path) -> Path:
    path = folder / "a.mp4"
    files.ffmpeg("-f", "lavfi", "-i", "testsrc=d=1:s=64x64:r=10", "-c:v", "mpeg4", path)
    return path


def _text(folder: Path) -> Path:
    path = folder / "a.mp3"
    path.write_text("no music, only words\n" * 100)
    return path


REASONS: Final[dict[str, tuple[Callable[[Path], Path], str]]] = {
    "no sound": (_silent_video, "contains no sound"),
    "a text": (_text, "is not an audio file"),
}


@pytest.mark.parametrize("kind", REASONS)
def test_the_reason_is_for_people(tmp_path: Path, kind: str) -> None:
    make, reason = REASONS[kind]
    with pytest.raises(AudioFileError, match=reason):
        read(make(tmp_path))


def test_an_ffmpeg_that_cannot_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = files.song_as(tmp_path, "a.m4a")
    program = tmp_path / "ffmpeg"
    program.write_bytes(b"\x7fELF of another machine")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(AudioFileError, match="ffmpeg cannot be started") as error:
        read(path)
    assert "Install ffmpeg" in error.value.remedy


def test_without_ffmpeg_the_missing_part_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = files.song_as(tmp_path, "a.wav")
    samples, rate, _ = read(files.cut(path))
    low = files.piped(tmp_path, "a.mp3", "-q:a", "4", "-f", "mp3")
    expected = files.ffmpeg_length(low)
    monkeypatch.setenv("PATH", "")
    _, _, damage = read(path)
    assert damage[0].start == pytest.approx(len(samples) / rate)
    samples, rate, damage = read(low)
    assert damage[0].start == pytest.approx(len(samples) / rate)
    assert damage[0].duration == pytest.approx((expected - len(samples)) / rate)

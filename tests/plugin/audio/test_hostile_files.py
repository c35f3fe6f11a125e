"""Files that are made to do harm: they read no other file, and memory, time and length have an end."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from stemdock import audio_info, open_audio
from stemdock.audio import UnreadableTagsError, read_tags
from stemdock.audio.ffmpeg.formats import RECORDINGS
from stemdock.audio.ffmpeg.process import local_input
from stemdock.errors import AudioFileError
from support import hostile_files as files
from support.other_peoples_files import ffmpeg_length, song_as

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Damage

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")


def length_of(path: Path) -> tuple[int, list[Damage]]:
    """Samples per channel, counted in constant memory, and the damage."""
    with open_audio(path, "auto") as audio:
        return sum(len(block) for block in audio.blocks), audio.damage


@needs_ffmpeg
@pytest.mark.slow
@pytest.mark.parametrize("kind", files.PLAYLISTS)
def test_a_playlist_reads_no_other_file(tmp_path: Path, kind: str) -> None:
    path = files.PLAYLISTS[kind](tmp_path)
    with pytest.raises(AudioFileError, match=r"is a playlist \(") as error:
        length_of(path)
    assert "that it names" in error.value.remedy
    with pytest.raises(AudioFileError, match="is a playlist"):
        audio_info(path)


@needs_ffmpeg
@pytest.mark.slow
def test_a_movie_whose_sound_is_in_another_file_does_not_read_it(tmp_path: Path) -> None:
    path = files.with_reference(tmp_path, files.secret(tmp_path, "secret.m4a"))
    # The file is right: with this option, ffmpeg reads the other one.
    command = ["ffmpeg", "-v", "info", "-enable_drefs", "1", "-i", str(path), "-f", "null", "-"]
    followed = subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL)
    assert b"secret.m4a' for reading" in followed.stderr
    with pytest.raises(AudioFileError, match="contains no samples"):
        length_of(path)


@needs_ffmpeg
@pytest.mark.slow
def test_even_a_list_could_only_name_files(tmp_path: Path) -> None:
    path = tmp_path / "list.mp3"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:3,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    # As if the formats allowed it: the second defence.
    arguments = local_input(path, (*RECORDINGS, "hls"))
    command = ["ffmpeg", "-nostdin", "-v", "info", *arguments, "-f", "null", "-"]
    refused = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert refused.returncode
    assert b"not on whitelist 'file'" in refused.stderr


_NAMES: Final = (
    "-i.m4a",
    "http:x.m4a",
    "concat:a|b.m4a",
    "subfile,,start,1,,:x.m4a",
    "data:x,y.m4a",
    "%03d.m4a",
)


@needs_ffmpeg
@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows allows no such names")
@pytest.mark.parametrize("name", _NAMES)
def test_a_name_is_only_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    song = song_as(tmp_path, "song.m4a")
    expected = ffmpeg_length(song)
    monkeypatch.chdir(tmp_path)
    path = song.rename(song.with_name(name)).relative_to(tmp_path)
    assert length_of(path) == (expected, [])


@needs_ffmpeg
@pytest.mark.slow
def test_a_name_like_a_series_of_pictures_reads_none(tmp_path: Path) -> None:
    path = song_as(tmp_path, "song.m4a").rename(tmp_path / "%03d.png")
    (tmp_path / "001.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(AudioFileError, match="has the name of a picture") as error:
        length_of(path)
    assert "suffix" in error.value.remedy


@needs_ffmpeg
@pytest.mark.slow
@pytest.mark.parametrize("name", ["numbers.wav", "numbers.mp3", "numbers.raw"])
@pytest.mark.parametrize("kind", files.NUMBERS)
def test_numbers_without_a_header_are_no_speech(tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(files.NUMBERS[kind]())
    with pytest.raises(AudioFileError, match="has no header of an audio file") as error:
        length_of(path)
    assert "convert it to WAV" in error.value.remedy
    with pytest.raises(AudioFileError, match="has no header"):
        audio_info(path)


@needs_ffmpeg
def test_the_formats_are_those_of_this_ffmpeg_and_none_reads_other_files() -> None:
    listed = subprocess.run(
        ["ffmpeg", "-hide_banner", "-demuxers"], check=True, capture_output=True, text=True
    )
    known = {
        name
        for names in re.findall(r"^ D\S* +(\S+)", listed.stdout, re.MULTILINE)
        for name in names.split(",")
    }
    # Other versions lack some.
    assert len(set(RECORDINGS) - known) < 10
    others = (
        "hls applehttp dash webm_dash_manifest concat imf sdp rtsp rtp sap image2 image2pipe lavfi vobsub"
    )
    others += (
        " tedcaptions ffmetadata srt ass webvtt microdvd sbg libopenmpt libgme tty bluray alsa pulse jack"
    )
    assert not set(others.split()) & set(RECORDINGS)
    assert not [name for name in RECORDINGS if name.endswith("_pipe")]


_FAKE_FRAME: Final = (
    "x\n[Parsed_ashowinfo_0 @ 0x1] [info] n:0 pts:0 pts_time:0 fmt:fltp rate:44100 nb_samples:{} checksum:1"
)


@needs_ffmpeg
@pytest.mark.slow
@pytest.mark.parametrize("key", [
    "ashowinfo pts:0 x rate:44100 nb_samples:" + "9" * 4000,
    _FAKE_FRAME.format("9" * 11),
    _FAKE_FRAME.format(1 << 29),
    "x\n[info]   Duration: 99999999999999999999999:99:9.9.9, start: 0",
])  # fmt: skip
def test_a_tag_that_looks_like_a_message_of_ffmpeg(tmp_path: Path, key: str) -> None:
    path = files.with_key(tmp_path, key)
    assert length_of(path) == (ffmpeg_length(path), [])


@needs_ffmpeg
@pytest.mark.slow
def test_times_that_jump_by_a_day_do_not_become_a_day_of_silence(tmp_path: Path) -> None:
    path = files.with_gap(tmp_path, 24 * 3600)
    length, damage = length_of(path)
    assert length / 44100 == pytest.approx(6, abs=0.1)
    assert [place.kind for place in damage] == ["end"]
    # Silence of some minutes keeps the time as before.
    length, damage = length_of(files.with_gap(tmp_path, 600))
    assert length / 44100 == pytest.approx(606, abs=0.1)
    assert [place.kind for place in damage] == ["silence"]


def test_hours_of_silence_are_a_song(tmp_path: Path) -> None:
    path = files.flac_bomb(tmp_path / "silence.flac", 900)
    assert length_of(path) == (900 * 65535, [])


@pytest.mark.slow
@pytest.mark.parametrize("sample_rate", [44100, 1000])
def test_more_sound_than_a_recording_can_have_is_refused_at_once(tmp_path: Path, sample_rate: int) -> None:
    path = files.flac_bomb(tmp_path / "bomb.flac", 32_000, sample_rate)
    assert path.stat().st_size < 600_000
    with (
        pytest.raises(AudioFileError, match="far more sound than a recording of its size") as error,
        open_audio(path),
    ):
        pass
    assert "Choose another file" in error.value.remedy


@needs_ffmpeg  # which reads it then
def test_a_stream_that_does_not_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = files.flac_bomb(tmp_path / "bomb.flac", 30)
    monkeypatch.setattr("stemdock.audio.bounds._ALWAYS", 20 * 65535)
    monkeypatch.setattr("stemdock.audio.bounds._PER_BYTE", 1)
    # As of a file that does not announce its length.
    monkeypatch.setattr("soundfile.SoundFile.frames", 0)
    monkeypatch.setattr("stemdock.audio.reading._agrees", lambda *_: True)
    blocks = []
    with open_audio(path) as audio, pytest.raises(AudioFileError, match="far more sound"):
        blocks += [len(block) for block in audio.blocks]
    assert not blocks


def test_a_genuine_codec_is_far_from_the_bound(tmp_path: Path) -> None:
    from stemdock.audio.bounds import most_samples  # noqa: PLC0415  the bound itself

    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(100 << 20)
    # Codec 2 at 450 bit/s.
    assert most_samples(path) > (100 << 20) * 8 / 450 * 8000


@pytest.mark.slow
def test_tags_have_a_largest_size(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    head = b"APIC" + (200 << 20).to_bytes(4, "big") + b"\0\0\0image/jpeg\0\3\0\xff\xd8\xff"
    size = bytes((210 << 20) >> shift & 0x7F for shift in (21, 14, 7, 0))
    with path.open("wb") as file:
        file.write(b"ID3" + bytes([3, 0, 0]) + size + head)
        file.truncate(220 << 20)
    with pytest.raises(UnreadableTagsError, match="MiB"):
        read_tags(path)


def test_tags_have_a_largest_number(tmp_path: Path) -> None:
    path = tmp_path / "song.flac"
    comments = b"\0\0\0\0" + (1 << 20).to_bytes(4, "little") + (b"\3\0\0\0a=b" * (1 << 20))
    info = b"\0" + (34).to_bytes(3, "big") + np.zeros(34, np.uint8).tobytes()
    path.write_bytes(b"fLaC" + info + b"\x84" + len(comments).to_bytes(3, "big") + comments)
    with pytest.raises(UnreadableTagsError, match="parts"):
        read_tags(path)

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest
import soundfile

from stemdock import Observer, Output, separate_file
from stemdock.audio import AudioWriter, open_audio, read_tags
from stemdock.errors import CancelledError, OutputError, OutputOptionError
from stemdock.output.codecs import CODECS, codec_of, written_rate
from stemdock.output.tags import Tags
from support.file_limits import files_up_to
from support.mixtures import SONG, snr
from support.small_model import write_noise

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Separator

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
ALAC = pytest.param("alac", marks=needs_ffmpeg)
LOSSY = ["mp3", "ogg", "opus", pytest.param("m4a", marks=needs_ffmpeg)]


def written(folder: Path, samples: np.ndarray, *, rate: int = 48000, **output: Any) -> Path:
    path = folder / f"stem.{output.get('codec', 'wav')}"
    folder.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    with AudioWriter(
        path, output=Output(**output), sample_rate=rate, n_channels=2, total_length=len(samples)
    ) as writer:
        for start in range(0, len(samples), 100_000):
            writer.write(samples[start : start + 100_000])
    return path


def read(path: Path) -> np.ndarray:
    with open_audio(path) as audio:
        return np.concatenate(list(audio.blocks))


@pytest.fixture
def always_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short files are written by ffmpeg, too, if the codec has the choice."""
    monkeypatch.setattr("stemdock.audio.ffmpeg.encoding._WORTHWHILE_LENGTH", 0)


@pytest.fixture(scope="module")
def music() -> np.ndarray:
    """Some of the song, without full scale."""
    samples, _ = soundfile.read(SONG, dtype="float32", frames=200_000)
    return np.asarray(samples * np.float32(0.9))


@pytest.mark.parametrize(
    ("codec", "bit_depth", "subtype", "error"),
    [
        ("wav", None, "FLOAT", 0), ("wav", "24", "PCM_24", 2**-23), ("wav", "16", "PCM_16", 2**-15),
        ("flac", None, "PCM_24", 2**-23), ("flac", "16", "PCM_16", 2**-15),
    ],
)  # fmt: skip
def test_lossless_files(
    tmp_path: Path, music: np.ndarray, codec: str, bit_depth: str | None, subtype: str, error: float
) -> None:
    path = written(tmp_path, music, codec=codec, bit_depth=bit_depth)
    info = soundfile.info(path)
    assert (info.format, info.subtype, info.samplerate) == (codec.upper(), subtype, 48000)
    np.testing.assert_allclose(read(path), music, rtol=0, atol=error)


@needs_ffmpeg
@pytest.mark.parametrize(("bit_depth", "error"), [(None, 2**-23), ("24", 2**-23), ("16", 2**-15)])
def test_alac_is_lossless(tmp_path: Path, music: np.ndarray, bit_depth: str | None, error: float) -> None:
    path = written(tmp_path, music, codec="alac", bit_depth=bit_depth)
    assert b"alac" in path.read_bytes()
    found = read(path)
    np.testing.assert_allclose(found, music, rtol=0, atol=error)
    # On the grid of its bits, and not on a coarser one.
    steps = found.astype(np.float64) * 2 ** (int(bit_depth or "24") - 1)
    np.testing.assert_array_equal(steps, np.rint(steps))
    assert np.any(np.rint(steps) % 2)


@pytest.mark.slow
@pytest.mark.parametrize("codec", LOSSY)
def test_lossy_files_are_in_step_with_the_song(tmp_path: Path, music: np.ndarray, codec: str) -> None:
    """Without a gap in front, of the same length, and close to the song: a shift by one sample is heard."""
    found = read(written(tmp_path, music, codec=codec, rate=48000))
    if codec != "m4a":  # AAC has whole frames, and its readers do not cut the last one
        assert len(found) == len(music)
    assert 0 <= len(found) - len(music) < 1024
    in_step = snr(music, found[: len(music)])
    assert in_step > 12
    assert in_step > snr(music[1:], found[: len(music) - 1]) + 3


@pytest.mark.parametrize("length", [1, 500, 1152, 4000])
@pytest.mark.parametrize("codec", ["mp3", "ogg", "opus"])
def test_short_files_have_their_length(tmp_path: Path, music: np.ndarray, codec: str, length: int) -> None:
    assert len(read(written(tmp_path, music[:length], codec=codec))) == length


@pytest.mark.slow
@pytest.mark.parametrize(
    ("codec", "bitrate", "tolerance"),
    [
        ("mp3", 320, 0.02), ("mp3", 128, 0.02), ("mp3", 40, 0.05), ("ogg", 320, 0.3), ("ogg", 96, 0.3),
        ("opus", 256, 0.1), ("opus", 64, 0.1), pytest.param("m4a", 160, 0.15, marks=needs_ffmpeg),
    ],
)  # fmt: skip
def test_bit_rates(tmp_path: Path, music: np.ndarray, codec: str, bitrate: int, tolerance: float) -> None:
    path = written(tmp_path, music, codec=codec, bitrate=bitrate)
    found = path.stat().st_size * 8 / 1000 / (len(music) / 48000)
    assert found == pytest.approx(bitrate, rel=tolerance)


def encoders_of(codec: str) -> bool:
    """Whether this machine's ffmpeg encodes MP3 or Opus."""
    encoders = subprocess.run(
        ["ffmpeg", "-v", "error", "-encoders"], capture_output=True, text=True, check=True
    )
    return {"mp3": "libmp3lame", "opus": "libopus"}[codec] in encoders.stdout


@needs_ffmpeg
@pytest.mark.usefixtures("always_ffmpeg")
@pytest.mark.parametrize(("codec", "bitrate"), [("mp3", 256), ("mp3", 64), ("opus", 160), ("opus", 64)])
def test_ffmpeg_writes_files_as_good_as_libsndfiles(
    tmp_path: Path, music: np.ndarray, monkeypatch: pytest.MonkeyPatch, codec: str, bitrate: int
) -> None:
    if not encoders_of(codec):
        pytest.skip("this ffmpeg lacks the encoder")
    by_ffmpeg = written(tmp_path, music, codec=codec, bitrate=bitrate)
    again = written(tmp_path / "again", music, codec=codec, bitrate=bitrate)
    monkeypatch.setenv("PATH", "")
    by_libsndfile = written(tmp_path / "other", music, codec=codec, bitrate=bitrate)
    assert by_ffmpeg.read_bytes() == again.read_bytes()
    assert by_ffmpeg.read_bytes() != by_libsndfile.read_bytes()
    assert by_ffmpeg.stat().st_size == pytest.approx(by_libsndfile.stat().st_size, rel=0.25)
    found, expected = read(by_ffmpeg), read(by_libsndfile)
    assert len(found) == len(expected) == len(music)
    # Both have the same LAME, but Opus of other versions, which does not aim at this number.
    assert snr(music, found) > snr(music, expected) - (0.5 if codec == "mp3" else 3)


@needs_ffmpeg
@pytest.mark.usefixtures("always_ffmpeg")
@pytest.mark.parametrize("codec", ["mp3", "opus"])
def test_tags_of_files_that_ffmpeg_writes(tmp_path: Path, music: np.ndarray, codec: Any) -> None:
    tags = Tags(title="Häuser", artist="Дом", tracknumber="3", comment="one = two")
    path = tmp_path / f"stem.{codec}"
    with AudioWriter(
        path, output=Output(codec=codec), sample_rate=48000, n_channels=2, total_length=len(music), tags=tags
    ) as writer:
        writer.write(music)
    assert not writer.tag_warning
    found = read_tags(path)
    assert (found.title, found.artist, found.comment) == (tags.title, tags.artist, tags.comment)
    assert found.tracknumber == "3"
    # Nothing that ffmpeg adds of its own.
    assert b"Lavf" not in path.read_bytes()[:256] or codec == "mp3"
    assert path.read_bytes().count(b"ID3") == (codec == "mp3")


@pytest.mark.usefixtures("always_ffmpeg")
@pytest.mark.parametrize("codec", ["mp3", "opus"])
def test_an_ffmpeg_without_the_encoder_is_not_used(
    tmp_path: Path, music: np.ndarray, monkeypatch: pytest.MonkeyPatch, codec: str
) -> None:
    fake_ffmpeg(tmp_path, monkeypatch, f"echo $* >> {tmp_path}/calls; cat > /dev/null; exit 1")
    path = written(tmp_path / "out", music, codec=codec)
    assert len(read(path)) == len(music)
    assert len((tmp_path / "calls").read_text().splitlines()) == 1
    assert len(read(written(tmp_path / "out", music, codec=codec))) == len(music)
    assert len((tmp_path / "calls").read_text().splitlines()) == 1


@needs_ffmpeg
@pytest.mark.parametrize("total_length", [None, 44100 * 5])
def test_long_files_are_written_by_ffmpeg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total_length: int | None
) -> None:
    """Short ones are not: it would take longer to start."""
    fake_ffmpeg(tmp_path, monkeypatch, f"echo $* >> {tmp_path}/calls; cat > /dev/null")
    for length, is_used in ((total_length, True), (44100 * 5 - 1, False)):
        (tmp_path / "calls").unlink(missing_ok=True)
        with AudioWriter(
            tmp_path / f"{length}.mp3", output=Output(codec="mp3"), sample_rate=44100, n_channels=2,
            total_length=length,
        ) as writer:  # fmt: skip
            writer.write(np.zeros((10, 2), np.float32))
        assert (tmp_path / "calls").exists() == is_used


@pytest.mark.slow
@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.name)
def test_the_ends_of_a_codecs_range_can_be_written(tmp_path: Path, codec: Any) -> None:
    if codec.encoder == "ffmpeg" and shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (6000, 2)).astype(np.float32)
    for bitrate in {codec.bitrates[0], codec.bitrates[-1]} if codec.bitrates else {None}:
        for rate in {codec.sample_rates[0], 48000, codec.sample_rates[-1]}:
            path = written(tmp_path, noise, rate=rate, codec=codec.name, bitrate=bitrate)
            if codec.name == "raw":  # nothing says what the samples are
                assert path.stat().st_size == 6000 * 2 * 4
            else:
                assert len(read(path)) >= 6000


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ({"codec": "flac", "bit_depth": "32f"}, "flac does not support 32f"),
        ({"codec": "mp3", "bit_depth": "16"}, "mp3 does not support 16"),
        ({"codec": "wav", "bitrate": 128}, "wav does not support 128k"),
        ({"codec": "mp3", "bitrate": 321}, "mp3 does not support 321k"),
        ({"codec": "opus", "sample_rate": 44100}, "opus does not support 44100 Hz"),
        ({"codec": "ogg", "sample_rate": 384000}, "ogg does not support 384000 Hz"),
        ({"codec": "wma"}, "wma is unknown"),
    ],
)
def test_what_a_codec_does_not_have_is_refused(output: dict[str, Any], reason: str) -> None:
    with pytest.raises(OutputOptionError, match=reason) as caught:
        codec_of(Output(**output))
    assert caught.value.remedy


def test_a_list_of_choices_is_a_sentence() -> None:
    with pytest.raises(OutputOptionError) as caught:
        codec_of(Output(codec="mp3", sample_rate=8000))
    assert caught.value.remedy == "Use 32000, 44100 or 48000 Hz."


@pytest.mark.parametrize(
    ("codec", "rate", "expected"),
    [
        ("opus", 44100, 48000),
        ("opus", 96000, 48000),
        ("mp3", 22050, 32000),
        ("mp3", 44100, 44100),
        ("wav", 1234, 1234),
        ("ogg", 384000, 200000),
        ("ogg", 5, 4000),
        ("ogg", 44101, 44101),
    ],
)
def test_the_next_sample_rate_that_the_codec_has(codec: str, rate: int, expected: int) -> None:
    assert written_rate(CODECS[codec].sample_rates, rate) == expected


def test_a_song_is_resampled_for_opus_and_it_is_told(small_separator: Separator, tmp_path: Path) -> None:
    source = write_noise(tmp_path / "song.wav", sample_rate=11025)
    separated = separate_file(small_separator, source, tmp_path / "out", output=Output(codec="opus"))
    assert separated.sample_rate == 12000
    assert separated.total_length == round(16000 * 12000 / 11025)
    assert len(separated.warnings) == 1
    assert "12000 Hz" in separated.warnings[0]
    for path in separated.stems.values():
        info = soundfile.info(path)
        assert (info.samplerate, info.frames) == (12000, separated.total_length)


def test_a_sample_rate_that_was_asked_for_needs_no_warning(
    small_separator: Separator, song: Path, tmp_path: Path
) -> None:
    separated = separate_file(small_separator, song, tmp_path / "out", output=Output(sample_rate=16000))
    assert separated.warnings == ()
    assert {soundfile.info(path).samplerate for path in separated.stems.values()} == {16000}
    assert {soundfile.info(path).frames for path in separated.stems.values()} == {32000}


@pytest.mark.parametrize("codec", ["wav", "flac", ALAC, *LOSSY])
def test_each_codec_from_song_to_file(
    small_separator: Separator, song: Path, tmp_path: Path, codec: Any
) -> None:
    extension = {"alac": "m4a"}.get(codec, codec)
    separated = separate_file(small_separator, song, tmp_path / "out", output=Output(codec=codec))
    names = [f"low.{extension}", f"high.{extension}"]
    assert [path.name for path in separated.files.values()] == names
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(names)
    assert all(len(read(path)) >= 16000 for path in separated.files.values())


@pytest.mark.parametrize("prevent_clipping", [False, True])
@pytest.mark.parametrize("codec", ["wav", "flac", ALAC, *LOSSY])
def test_no_room_for_a_file(
    small_separator: Separator, song: Path, tmp_path: Path, codec: Any, prevent_clipping: bool
) -> None:
    output = Output(codec=codec, prevent_clipping=prevent_clipping)
    before = set(threading.enumerate())
    with files_up_to(8000), pytest.raises(OutputError) as caught:
        separate_file(small_separator, song, tmp_path / "out", output=output)
    assert not (tmp_path / "out").exists()
    # Not even while the error is kept: another thread may forget it, which cannot wait for itself.
    assert {thread.name for thread in {*threading.enumerate()} - before} <= {"stemdock-network_0"}, caught


@pytest.mark.parametrize("codec", ["wav", "flac", ALAC, *LOSSY])
def test_no_room_for_the_end_of_a_file(tmp_path: Path, music: np.ndarray, codec: Any) -> None:
    """What is compressed is written when the file is closed, which is no time to look away."""
    size = written(tmp_path, music[:16000], codec=codec).stat().st_size
    with files_up_to(size - 100), pytest.raises(OutputError):
        written(tmp_path, music[:16000], codec=codec)


def test_what_a_signal_raises_while_libsndfile_writes(
    tmp_path: Path, music: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be lost inside libsndfile."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("stemdock.audio.sndfile.encoding.memoryview", interrupted, raising=False)
    with pytest.raises(KeyboardInterrupt):
        written(tmp_path, music)


def fake_ffmpeg(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    if sys.platform == "win32":
        pytest.skip("the program in ffmpeg's place is a shell script")
    program = folder / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


@pytest.mark.parametrize("when", ["cat > /dev/null; ", ""])
def test_ffmpegs_failure_is_told(
    small_separator: Separator, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """At the end or before it has read anything."""
    fake_ffmpeg(tmp_path, monkeypatch, f"{when}echo first >&2; echo no such encoder >&2; exit 3")
    with pytest.raises(OutputError, match="no such encoder") as caught:
        separate_file(small_separator, song, tmp_path / "out", output=Output(codec="m4a"))
    assert "first" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_cancelling_ends_ffmpeg(
    small_separator: Separator, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that would never end by itself, and says which process it is."""
    fake_ffmpeg(tmp_path, monkeypatch, f"echo $$ >> {tmp_path}/processes; exec sleep 1000")
    cancel = Event()

    def on_progress(_: object) -> None:
        while not (tmp_path / "processes").exists():
            pass
        cancel.set()

    with pytest.raises(CancelledError):
        separate_file(
            small_separator, song, tmp_path / "out",
            output=Output(codec="m4a"), observer=Observer(on_progress=on_progress, cancel=cancel),
        )  # fmt: skip
    for process in (tmp_path / "processes").read_text().split():
        assert not psutil.pid_exists(int(process))
    assert not (tmp_path / "out").exists()


def test_without_ffmpeg_m4a_is_refused_before_work(
    small_separator: Separator, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(OutputError, match="without ffmpeg"):
        separate_file(small_separator, song, tmp_path / "out", output=Output(codec="m4a"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("bit_depth", ["16", "24", "32f"])
def test_a_file_of_unknown_length_becomes_wav(tmp_path: Path, music: np.ndarray, bit_depth: Any) -> None:
    path = tmp_path / "stem.wav"
    output = Output(bit_depth=bit_depth)
    with AudioWriter(path, output=output, sample_rate=44100, n_channels=2, total_length=None) as writer:
        writer.write(music)
    data = path.read_bytes()
    assert data[:4] == b"RIFF"
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    assert soundfile.info(path).format in {"WAV", "WAVEX"}
    expected = read(written(tmp_path / "known", music, rate=44100, bit_depth=bit_depth))
    np.testing.assert_array_equal(read(path), expected)
    if shutil.which("ffprobe"):
        subprocess.run(["ffprobe", "-v", "error", path], check=True)


@pytest.mark.parametrize("total_length", [None, 2**29])
def test_what_wav_cannot_count_is_rf64(
    tmp_path: Path, music: np.ndarray, monkeypatch: pytest.MonkeyPatch, total_length: int | None
) -> None:
    """Four gigabytes are known beforehand, or turn out in the end."""
    if total_length is None:
        monkeypatch.setattr("stemdock.audio.sndfile.rf64._WAV_LIMIT", music.nbytes)
    path = tmp_path / "stem.wav"
    with AudioWriter(path, sample_rate=44100, n_channels=2, total_length=total_length) as writer:
        writer.write(music)
    assert path.read_bytes()[:4] == b"RF64"
    np.testing.assert_array_equal(read(path), music)


def test_a_reason_of_libsndfile_has_no_full_stop_of_its_own(tmp_path: Path, music: np.ndarray) -> None:
    """A sample rate that the checks before would have refused."""
    with pytest.raises(OutputError) as caught:
        written(tmp_path, music[:10], rate=7, codec="mp3")
    assert str(caught.value).endswith("44100, and 48000)")
    assert "_WatchedFile" not in str(caught.value)

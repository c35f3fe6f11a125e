"""Inputs that are in order and yet unlike most: each comes out as long and as loud as it should."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from stemdock import Separator, separate_file
from stemdock.errors import AudioFileError
from support.mixtures import SONG, snr

RATE = 8000
needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")


def noise(length: int, n_channels: int = 2, level: float = 0.3) -> np.ndarray:
    return np.random.default_rng(3).uniform(-level, level, (length, n_channels))


def read(path: Path) -> tuple[np.ndarray, int]:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples, rate


def stems_of(separator: Separator, source: Path, folder: Path) -> dict[str, np.ndarray]:
    """Stems as they are in the files, all of the source's rate and length."""
    separated = separate_file(separator, source, folder)
    stems = {}
    for stem, path in separated.stems.items():
        stems[stem], rate = read(path)
        assert rate == separated.sample_rate
        assert stems[stem].shape == (separated.total_length, 2)
        assert np.isfinite(stems[stem]).all()
    return stems


@pytest.mark.parametrize(
    ("subtype", "floor"),
    [
        ("PCM_U8", 25),
        ("ULAW", 30),
        ("ALAW", 30),
        ("PCM_24", 120),
        ("PCM_32", 120),
        ("FLOAT", 200),
        ("DOUBLE", 130),
    ],
)
def test_samples_of_every_kind(
    subtype: str, floor: float, small_separator: Separator, tmp_path: Path
) -> None:
    samples = noise(9000)
    soundfile.write(tmp_path / "song.wav", samples, RATE, subtype=subtype)
    stems = stems_of(small_separator, tmp_path / "song.wav", tmp_path / "out")
    plain = small_separator.separate(samples.astype(np.float32), RATE)
    for stem, found in stems.items():
        assert snr(plain[stem], found + 1e-12) > floor


@pytest.mark.parametrize(
    ("rate", "n_channels"), [(96_000, 2), (192_000, 2), (8000, 1), (1000, 1), (768_000, 1)]
)
def test_any_rate_comes_out_as_it_went_in(
    rate: int, n_channels: int, small_separator: Separator, tmp_path: Path
) -> None:
    samples = noise(rate // 3 + 1, n_channels)
    soundfile.write(tmp_path / "song.wav", samples, rate, subtype="PCM_24")
    stems = stems_of(small_separator, tmp_path / "song.wav", tmp_path / "out")
    source, _ = read(tmp_path / "song.wav")
    plain = small_separator.separate(source, rate)
    for stem, found in stems.items():
        assert len(found) == len(samples)
        np.testing.assert_array_equal(found, plain[stem])


@pytest.mark.parametrize("length", [1, 2, 10, 63, 64, 65])
def test_next_to_nothing(length: int, small_separator: Separator, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", noise(length), RATE, subtype="FLOAT")
    stems = stems_of(small_separator, tmp_path / "song.wav", tmp_path / "out")
    source, _ = read(tmp_path / "song.wav")
    # Masks sum to one below the model's bandwidth, and "average" masks above it do so, too.
    np.testing.assert_allclose(sum(stems.values()), source, atol=1e-5)


@pytest.mark.parametrize("rate", [RATE, 44100])
@pytest.mark.parametrize("kind", ["silence", "offset", "square"])
def test_signals_without_music(kind: str, rate: int, small_separator: Separator, tmp_path: Path) -> None:
    length = 30_000
    samples = {
        "silence": np.zeros(length),
        "offset": np.full(length, 0.9),
        "square": np.where(np.arange(length) // 50 % 2, 1.0, -1.0),
    }[kind]
    soundfile.write(tmp_path / "song.wav", samples, rate, subtype="FLOAT")
    stems = stems_of(small_separator, tmp_path / "song.wav", tmp_path / "out")
    total = np.sum(list(stems.values()), axis=0)
    if rate == RATE:
        np.testing.assert_allclose(total, np.repeat(samples[:, None], 2, 1), atol=1e-4)
    if kind == "silence":
        assert not total.any()


def test_beyond_full_scale_nothing_is_lost(small_separator: Separator, tmp_path: Path) -> None:
    samples = noise(9000)
    for name, factor in (("plain", 1), ("loud", 64)):
        soundfile.write(tmp_path / f"{name}.wav", samples * factor, RATE, subtype="FLOAT")
    plain = stems_of(small_separator, tmp_path / "plain.wav", tmp_path / "1")
    loud = stems_of(small_separator, tmp_path / "loud.wav", tmp_path / "2")
    for stem, found in loud.items():
        # The small session adds a little to magnitudes, which weighs less the louder they are.
        assert snr(plain[stem], found / 64) > 60


@pytest.mark.parametrize("value", [1e6, 3e38])
def test_what_can_only_be_damage_is_refused(value: float, small_separator: Separator, tmp_path: Path) -> None:
    samples = noise(9000)
    samples[4000, 1] = -value
    soundfile.write(tmp_path / "song.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(AudioFileError, match="times full scale"):
        separate_file(small_separator, tmp_path / "song.wav", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("rate", [1, 999, 768_001, (1 << 31) - 1])
def test_a_rate_that_no_audio_has_is_refused(rate: int, small_separator: Separator, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", noise(100), rate)
    with pytest.raises(AudioFileError, match=f"sample rate of {rate} Hz"):
        separate_file(small_separator, tmp_path / "song.wav", tmp_path / "out")


@pytest.mark.slow
@needs_ffmpeg
def test_an_m4a_with_a_cover(separator: Separator, tmp_path: Path) -> None:
    cover, song = tmp_path / "cover.png", tmp_path / "song.m4a"
    ffmpeg = ["ffmpeg", "-v", "error", "-nostdin"]
    subprocess.run([*ffmpeg, "-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", cover], check=True)
    inputs: list[str | Path] = ["-t", "4", "-i", SONG, "-i", cover, "-map", "0:a", "-map", "1:v"]
    # The cover stands first, where a reader that takes the first stream would find it.
    tags = ["-c:a", "aac", "-b:a", "320k", "-c:v", "copy", "-disposition:v:0", "attached_pic"]
    subprocess.run([*ffmpeg, *inputs, *tags, song], check=True)
    decoded = tmp_path / "song.wav"
    subprocess.run([*ffmpeg, "-i", song, "-map", "0:a", "-c:a", "pcm_f32le", decoded], check=True)
    found = stems_of(separator, song, tmp_path / "1")
    plain = stems_of(separator, decoded, tmp_path / "2")
    assert 4 * 44100 <= len(found["vocals"]) < 4.1 * 44100
    for stem, samples in found.items():
        assert snr(plain[stem], samples + 1e-12) > 120


def test_five_channels_and_a_bass(small_separator: Separator, tmp_path: Path) -> None:
    samples = noise(9000, 6)
    soundfile.write(tmp_path / "song.wav", samples, RATE, format="WAVEX", subtype="FLOAT")
    with pytest.raises(AudioFileError, match="6 channels") as caught:
        separate_file(small_separator, tmp_path / "song.wav", tmp_path / "out")
    assert "-ac 2" in caught.value.remedy
    folded = separate_file(small_separator, tmp_path / "song.wav", tmp_path / "out", downmix="front")
    plain = small_separator.separate(samples[:, :2].astype(np.float32), RATE)
    for stem, path in folded.stems.items():
        # Where the file says which loudspeakers they are for, the first two are at a fixed level.
        found, _ = read(path)
        assert found.shape == (9000, 2)
        assert snr(plain[stem], found + 1e-12) > 100


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in the file system")
def test_a_named_pipe_is_refused_and_not_waited_for(small_separator: Separator, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "song.wav")
    with pytest.raises(AudioFileError, match="not a regular file"):
        separate_file(small_separator, tmp_path / "song.wav", tmp_path / "out")


@pytest.mark.parametrize("suffix", ["raw", "mp3", "txt", "", "WAV"])
def test_the_content_counts_and_not_the_name(suffix: str, small_separator: Separator, tmp_path: Path) -> None:
    if suffix == "raw" and not shutil.which("ffmpeg"):
        pytest.skip("needs ffmpeg")
    soundfile.write(tmp_path / "song.wav", noise(9000), RATE, subtype="FLOAT")
    plain = stems_of(small_separator, tmp_path / "song.wav", tmp_path / "1")
    renamed = (tmp_path / "song.wav").replace(tmp_path / f"other.{suffix}")
    for stem, found in stems_of(small_separator, renamed, tmp_path / "2").items():
        np.testing.assert_array_equal(found, plain[stem])


NAMES = [
    "line\nbreak", "'quotes' \"and\" `more`", "-rf", "--help", "🎵 emoji", "\u05e9\u05dc\u05d5\u05dd",
    "\u202eevil",
    "Caf\u00e9", "Cre\u0301me", "dots...", "blanks  ", "a:b*c?d<e>f|g", "%s {0} $HOME ~",
    "\x1b[31mred", "\\back",
    "x" * 250, "\u00e9" * 125, ".hidden", os.fsdecode(b"latin-\xe9"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="no other system takes all of these names")
def test_any_name_and_the_printed_paths_can_be_used(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.flac", noise(2000), RATE)
    for name in NAMES:
        shutil.copyfile(tmp_path / "song.flac", tmp_path / f"{name}.wav")
    model = Path(__file__).parents[2] / "fuzz" / "seeds" / "command" / "seek-before-start" / "tiny.onnx"
    command = [sys.executable, "-m", "stemdock", "separate", "--model", str(model), "--provider", "cpu", "--"]
    songs = [f"{name}.wav" for name in NAMES]
    done = subprocess.run([*command, *songs], cwd=tmp_path, check=False, capture_output=True, timeout=200)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "separated"
    written = sorted(os.fsencode(path.relative_to(tmp_path)) for path in folder.rglob("*.wav"))
    assert len(written) == 2 * len(NAMES)
    # Byte for byte the paths of the files, one a line; a name may have a line break of its own.
    assert sorted(done.stdout.removesuffix(b"\n").replace(b".wav\n", b".wav\0").split(b"\0")) == written
    # What goes to people has no bytes that a terminal obeys.
    assert b"\x1b" not in done.stderr

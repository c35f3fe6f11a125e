from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from stemdock.audio import open_audio
from stemdock.cli.main import run
from stemdock.dsp.downmix import downmixed, front_pair, full_downmix
from stemdock.errors import AudioFileError
from stemdock.files.separating import separate_file

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Plugins, Separator

pytestmark = pytest.mark.slow

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")

LAYOUTS = {
    "2.1": "FL FR LFE",
    "3.0": "FL FR FC",
    "4.0": "FL FR FC BC",
    "quad": "FL FR BL BR",
    "5.0": "FL FR FC BL BR",
    "5.0(side)": "FL FR FC SL SR",
    "5.1": "FL FR FC LFE BL BR",
    "5.1(side)": "FL FR FC LFE SL SR",
    "6.1": "FL FR FC LFE BC SL SR",
    "7.1": "FL FR FC LFE BL BR SL SR",
    "7.1(wide)": "FL FR FC LFE BL BR FLC FRC",
}
"""ffmpeg's names and its order, which is that of WAV."""
SPEAKERS = sorted({name for layout in LAYOUTS.values() for name in layout.split()})


def noise(n_channels: int, length: int = 3000) -> np.ndarray:
    return np.random.default_rng(n_channels).uniform(-1, 1, (length, n_channels)).astype(np.float32)


def write(path: Path, n_channels: int, **options: str) -> np.ndarray:
    samples = noise(n_channels)
    soundfile.write(path, samples, 8000, **options)
    return samples


def ffmpeg(*arguments: object) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


def as_layout(source: Path, layout: str, target: Path, *options: str) -> None:
    """The same channels, declared to be a layout."""
    ffmpeg("-i", source, "-af", f"aformat=sample_fmts=flt,asetrate=8000,pan={same(layout)}", *options, target)


def same(layout: str) -> str:
    n_channels = len(LAYOUTS[layout].split())
    return "|".join([layout, *(f"c{i}=c{i}" for i in range(n_channels))])


def read(path: Path, **options: str) -> np.ndarray:
    with open_audio(path, **options) as audio:  # type: ignore[arg-type]
        assert audio.n_channels == 2
        return np.concatenate(list(audio.blocks))


@needs_ffmpeg
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("container", ["wav", "mov"])
def test_every_layout_is_folded_as_ffmpeg_does(tmp_path: Path, layout: str, container: str) -> None:
    speakers = tuple(LAYOUTS[layout].split())
    write(tmp_path / "plain.wav", len(speakers), subtype="FLOAT")
    surround = tmp_path / f"surround.{container}"
    as_layout(tmp_path / "plain.wav", layout, surround, "-c:a", "pcm_f32le")
    with open_audio(surround, "auto") as audio:
        assert audio.downmix == full_downmix(speakers)
        found = np.concatenate(list(audio.blocks))
    ffmpeg(
        "-i",
        surround,
        "-af",
        "aresample=ochl=stereo:rematrix_maxval=1",
        "-c:a",
        "pcm_f32le",
        tmp_path / "2.wav",
    )
    expected, _ = soundfile.read(tmp_path / "2.wav", dtype="float32")
    np.testing.assert_allclose(found, expected, atol=2e-6)


@needs_ffmpeg
def test_formats_without_a_map_have_the_usual_order(tmp_path: Path) -> None:
    samples = write(tmp_path / "plain.flac", 6)
    speakers = LAYOUTS["5.1"].split()
    with open_audio(tmp_path / "plain.flac", "auto") as audio:
        assert audio.downmix == full_downmix(speakers)
    ffmpeg("-i", tmp_path / "plain.flac", tmp_path / "plain.aiff")
    with open_audio(tmp_path / "plain.aiff", "auto") as audio:
        assert audio.downmix == full_downmix(speakers)
    ffmpeg("-i", tmp_path / "plain.flac", "-c:a", "libvorbis", "-q:a", "10", tmp_path / "plain.ogg")
    with open_audio(tmp_path / "plain.ogg", "auto") as audio:
        assert audio.downmix == full_downmix(["FL", "FC", "FR", "BL", "BR", "LFE"])
        found = np.concatenate(list(audio.blocks))[: len(samples)]
    expected = np.concatenate(list(downmixed([samples], full_downmix(speakers))))
    # Vorbis is lossy, but channels in a wrong order would have no more than chance in common.
    assert np.corrcoef(found[:, 0], expected[:, 0])[0, 1] > 0.8
    assert np.corrcoef(found[:, 1], expected[:, 1])[0, 1] > 0.8


def test_the_centre_is_in_both_and_the_lfe_in_neither(tmp_path: Path) -> None:
    samples = np.zeros((2000, 6), np.float32)
    samples[:, 2] = 1  # the centre of WAV's order
    samples[:, 3] = 1  # its low-frequency effects
    soundfile.write(tmp_path / "5.1.wav", samples, 8000, subtype="FLOAT")
    stereo = read(tmp_path / "5.1.wav", downmix="auto")
    np.testing.assert_allclose(stereo, 0.5**0.5 / (1 + 2 * 0.5**0.5), atol=1e-6)


@given(
    speakers=st.lists(st.sampled_from(SPEAKERS), min_size=3, max_size=8, unique=True), seed=st.integers(0, 99)
)
def test_full_scale_stays_full_scale(speakers: list[str], seed: int) -> None:
    signs = np.random.default_rng(seed).choice([-1, 1], (20, len(speakers))).astype(np.float32)
    signs = np.concatenate([signs, np.ones((1, len(speakers)), np.float32)])
    (stereo,) = downmixed([signs], full_downmix(speakers))
    assert stereo.shape == (21, 2)
    assert np.abs(stereo).max() <= 1 + 1e-6


def test_front_takes_front_left_and_right(tmp_path: Path) -> None:
    samples = write(tmp_path / "5.1.wav", 6, subtype="FLOAT")
    assert np.array_equal(read(tmp_path / "5.1.wav", downmix="front"), samples[:, :2])
    assert front_pair(["FL", "FC", "FR"], 3).left_out == ("FC",)
    assert front_pair([], 9).left_out == tuple(f"channel {i}" for i in range(3, 10))


def test_channels_of_nobody_knows_what_are_refused_but_for_the_first_two(tmp_path: Path) -> None:
    samples = write(tmp_path / "12.wav", 12, subtype="FLOAT")
    with pytest.raises(AudioFileError, match="12 channels") as caught:
        read(tmp_path / "12.wav", downmix="auto")
    assert "--fold front" in caught.value.remedy
    assert np.array_equal(read(tmp_path / "12.wav", downmix="front"), samples[:, :2])


def test_hosts_still_refuse_surround(small_separator: Separator, tmp_path: Path) -> None:
    write(tmp_path / "song.wav", 6)
    with pytest.raises(AudioFileError, match="6 channels"):
        separate_file(small_separator, tmp_path / "song.wav", tmp_path)


def test_the_program_folds_and_says_so(
    plugins: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    song = tmp_path / "song.wav"
    write(song, 6)
    arguments = ["separate", str(song), "-m", "small", "-o", str(tmp_path / "out")]
    assert run(arguments, plugins) == 0
    assert (
        f"{song}: 6 channels (FL FR FC LFE BL BR) mixed down to stereo without LFE" in capsys.readouterr().err
    )
    assert soundfile.info(tmp_path / "out" / "song" / "low.wav").channels == 2
    assert run([*arguments, "--overwrite", "--fold", "refuse"], plugins) == 1
    assert "6 channels" in capsys.readouterr().err

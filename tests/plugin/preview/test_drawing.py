from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stemdock.preview.drawing import (
    LEVEL_RANGE,
    N_BANDS,
    Bands,
    Spectrogram,
    Waveform,
    band_edges,
    shades,
)
from stemdock.preview.palette import MAGMA
from stemdock.preview.png import indexed_png

RATE = 8000


def in_blocks(samples: np.ndarray, cuts: list[int]) -> list[np.ndarray]:
    return [block for block in np.split(samples, sorted(cut % len(samples) for cut in cuts)) if len(block)]


def noise(n_samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (n_samples, 2)).astype(np.float32)


def tone(frequency: float, n_samples: int = 2 * RATE) -> np.ndarray:
    channel = np.sin(2 * np.pi * frequency * np.arange(n_samples) / RATE)
    return np.stack([channel, channel], axis=1).astype(np.float32)


def powers(samples: np.ndarray, cuts: list[int] | None = None, total_length: int | None = None) -> np.ndarray:
    spectrogram = Spectrogram(total_length or len(samples), RATE)
    for block in in_blocks(samples, cuts or []):
        spectrogram.add(block)
    return spectrogram.powers()


@settings(deadline=None, max_examples=25)
@given(n_samples=st.integers(1, 5000), cuts=st.lists(st.integers(0, 4999), max_size=5))
def test_a_waveform_has_the_extremes_of_each_column(n_samples: int, cuts: list[int]) -> None:
    samples = noise(n_samples)
    waveform = Waveform(n_samples)
    for block in in_blocks(samples, cuts):
        waveform.add(block)
    n_columns = len(waveform.extremes)
    columns = np.arange(n_samples) * n_columns // n_samples
    for column in range(n_columns):
        part = samples[columns == column]
        expected = [max(0, part.max()), max(0, -part.min())]
        assert waveform.extremes[column] == pytest.approx(expected)


def test_a_waveform_takes_more_and_less_than_announced() -> None:
    waveform = Waveform(1000)
    waveform.add(np.full((1500, 1), 0.5, np.float32))
    assert len(waveform.extremes) == 1000
    assert (waveform.extremes[:, 0] == 0.5).all()
    waveform = Waveform(1000)
    waveform.add(np.full((250, 1), 0.5, np.float32))
    assert np.count_nonzero(waveform.extremes[:, 0]) == 250


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(cuts=st.lists(st.integers(0, 5999), max_size=6))
def test_a_spectrogram_does_not_depend_on_blocks(cuts: list[int]) -> None:
    samples = noise(6000)
    assert powers(samples, cuts) == pytest.approx(powers(samples), rel=1e-5)


@settings(deadline=None, max_examples=25)
@given(frequency=st.floats(50, 3900))
def test_a_tone_is_in_its_band(frequency: float) -> None:
    band = powers(tone(frequency)).mean(axis=0).argmax()
    edges = band_edges(RATE)
    # Low bands are narrower than a bin, and share its power.
    spread = max(1.05, 1 + RATE / 1024 / frequency)
    assert edges[band] / spread < frequency < edges[band + 1] * spread


def test_a_sound_is_at_its_time_and_silence_is_none() -> None:
    samples = tone(440)
    samples[:RATE] = 0
    level = powers(samples).sum(axis=1)
    half = len(level) // 2
    assert level[: half - 4].max() == 0
    assert level[half + 4 : -4].min() > 0
    level = powers(samples, total_length=4 * RATE).sum(axis=1)
    assert level[len(level) // 4 + 4 : len(level) // 2 - 4].min() > 0
    assert level[len(level) // 2 + 4 :].max() == 0


def test_opposite_channels_do_not_vanish() -> None:
    opposed = tone(440) * np.array([1, -1], np.float32)
    assert powers(opposed) == pytest.approx(powers(tone(440)), rel=1e-5)


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000, 192000])
def test_bands_cover_what_is_heard(rate: int) -> None:
    edges = band_edges(rate)
    assert edges[0] == 40
    assert edges[-1] == min(20000, rate / 2)
    weights = Bands(4096, rate).means(np.eye(2049, dtype=np.float32)).T
    assert weights.shape == (N_BANDS, 2049)
    assert weights.min() >= 0
    assert weights.sum(axis=1) == pytest.approx(np.ones(N_BANDS))
    centres = weights @ np.arange(2049) * rate / 4096
    # Half a bin is lost beyond the last one.
    assert ((centres > edges[:-1] * 0.9) & (centres < edges[1:] * 1.1)).all()


@pytest.mark.parametrize("n_samples", [1, 100, 5000])
def test_the_shortest_sounds_have_a_picture(n_samples: int) -> None:
    level = powers(noise(n_samples))
    assert level.shape[1] == N_BANDS
    assert len(level) >= 1
    assert level.max() > 0


def test_shades_are_decibels() -> None:
    level = np.array([[1, 10 ** (-LEVEL_RANGE / 20), 10 ** (-LEVEL_RANGE / 10), 0, 2]], np.float32)
    assert shades(level, 1, 65).tolist() == [[64, 32, 0, 0, 64]]
    assert shades(np.zeros((2, 3), np.float32), 0, 65).tolist() == [[0] * 3] * 2


def test_a_png_has_the_colours_of_its_palette() -> None:
    image = pytest.importorskip("matplotlib.image")
    pixels = np.random.default_rng(0).integers(0, 64, (7, 13), dtype=np.uint8)
    read = image.imread(io.BytesIO(indexed_png(pixels, MAGMA)), format="png")
    expected = np.frombuffer(MAGMA, np.uint8).reshape(-1, 3)[pixels]
    assert np.rint(read[..., :3] * 255).astype(int).tolist() == expected.tolist()


def test_the_palette_is_magma() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    shown = matplotlib.colormaps["magma"](np.linspace(0, 1, 64))[:, :3]
    assert np.rint(shown * 255).astype(np.uint8).tobytes() == MAGMA

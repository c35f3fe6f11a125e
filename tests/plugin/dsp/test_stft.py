from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stemdock.dsp.stft import frames_length, hann, istft, stft


def test_window_is_the_periodic_one() -> None:
    n = np.arange(4096)
    np.testing.assert_allclose(hann(4096), 0.5 - 0.5 * np.cos(2 * np.pi * n / 4096), atol=1e-7)


def test_spectrum_of_a_frame_is_the_plain_transform_of_its_windowed_samples() -> None:
    samples = np.random.default_rng(0).standard_normal((2, 256 + 64)).astype(np.float32)
    spectrum = stft(samples, 256)
    assert spectrum.shape == (2, 2, 129)
    assert spectrum.dtype == np.complex64
    expected = np.fft.rfft(samples[1, 64:320].astype(np.float64) * hann(256))
    np.testing.assert_allclose(spectrum[1, 1], expected, atol=1e-4)


@given(
    n_frames=st.integers(4, 40),
    frame_length=st.sampled_from([64, 256, 4096]),
    seed=st.integers(0, 2**32 - 1),
)
def test_inverse_gives_back_every_sample_that_four_frames_cover(
    n_frames: int, frame_length: int, seed: int
) -> None:
    length = frames_length(n_frames, frame_length)
    samples = np.random.default_rng(seed).uniform(-1, 1, (2, length)).astype(np.float32)
    back = istft(stft(samples, frame_length), frame_length)
    assert back.shape == samples.shape
    edge = frame_length - frame_length // 4
    np.testing.assert_allclose(back[:, edge:-edge], samples[:, edge:-edge], atol=2e-6)


def test_input_is_left_alone() -> None:
    samples = np.ones((1, 512), np.float32)
    stft(samples, 256)
    assert np.all(samples == 1)


def test_bins_that_are_left_out_count_as_zero() -> None:
    samples = np.random.default_rng(0).standard_normal((2, 1024)).astype(np.float32)
    whole = stft(samples, 256)
    kept = stft(samples, 256, 100)
    assert np.array_equal(kept, whole[..., :100])
    whole[..., 100:] = 0
    np.testing.assert_allclose(istft(kept, 256), istft(whole, 256), atol=1e-6)

"""Generates mixtures to measure a network with.

Conventions:
    Magnitudes are `(n_segments, n_frames, n_bins, n_channels)` float32 and as loud as the spectra of
    full-scale music, since the networks are not scale-invariant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from stemdock import FloatArray
    from stemdock_export.config import SpleeterConfig


def parity_signals(config: SpleeterConfig) -> Mapping[str, FloatArray]:
    """Two segments of music-like sound, two of noise, and one of silence, by name."""
    length = (2 * config.n_frames - 1) * config.hop_length + config.frame_length
    noise = np.random.RandomState(1).randn(length, config.n_channels)
    return {
        "music": _magnitude(_music(length, config.sample_rate), config),
        "noise": _magnitude(0.1 * noise, config),
        "silence": np.zeros((1, config.n_frames, config.n_bins, config.n_channels), np.float32),
    }


def _music(length: int, sample_rate: int) -> NDArray[np.float64]:
    """Tones, a sweep and bursts of noise, panned differently: `(length, 2)`, nominal range [-1, 1].

    Spleeter's own output for this signal was recorded once, to compare the whole program with it.
    """
    t = np.arange(length) / sample_rate
    tau = 2 * np.pi
    random = np.random.RandomState(0)
    lead = (
        0.25 * np.sin(tau * 220 * t) * (0.6 + 0.4 * np.sin(tau * 3 * t))
        + 0.1 * np.sin(tau * (400 * t + 150 * t**2))
        + 0.05 * random.randn(length) * (t % 0.5 < 0.05)  # noqa: PLR2004
    )
    backing = (
        0.2 * np.sin(tau * 110 * t)
        + 0.08 * np.sin(tau * 3300 * t) * (np.sin(tau * 5 * t) > 0)
        + 0.02 * random.randn(length)
    )
    return np.stack([lead + 0.7 * backing, 0.8 * lead + backing], axis=1)


def _magnitude(samples: NDArray[np.float64], config: SpleeterConfig) -> FloatArray:
    """STFT magnitudes with Spleeter's periodic Hann window, cut into segments."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(config.frame_length) / config.frame_length)
    frames = sliding_window_view(samples, config.frame_length, axis=0)[:: config.hop_length]
    spectrum = np.fft.rfft(frames * window, axis=-1)[..., : config.n_bins]
    magnitude = np.abs(spectrum).astype(np.float32).transpose(0, 2, 1)
    return magnitude.reshape(-1, config.n_frames, config.n_bins, config.n_channels)

"""Mixtures and measures that several tests share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

DATA = Path(__file__).parents[1] / "data"
SONG = DATA / "audio_example.mp3"
SAMPLE_RATE = 44100

LENGTHS = {"a": 132423, "mono": 88207, "short": 500, "long": 617401}
"""Samples of the generated mixtures whose stems by the original Spleeter are known."""


def generated_mixture(n_samples: int) -> NDArray[np.float32]:
    """Tones, a chirp, pulses and noise, `(n_samples, 2)`; the input of the recorded separations."""
    t = np.arange(n_samples) / SAMPLE_RATE
    noise = np.random.RandomState(0)
    x = 0.25 * np.sin(2 * np.pi * 220 * t) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))
    x += 0.1 * np.sin(2 * np.pi * (400 * t + 150 * t**2))
    x += 0.05 * noise.randn(n_samples) * (t % 0.5 < 0.05)
    y = 0.2 * np.sin(2 * np.pi * 110 * t)
    y += 0.08 * np.sin(2 * np.pi * 3300 * t) * (np.sin(2 * np.pi * 5 * t) > 0)
    y += 0.02 * noise.randn(n_samples)
    return np.stack([x + 0.7 * y, 0.8 * x + y], axis=1).astype(np.float32)


def recorded_case(case: str) -> NDArray[np.float32]:
    """The mixture of one case in `spleeter_2stems.npz`, `(n_samples, n_channels)`."""
    if case == "example":
        samples, _ = soundfile.read(SONG, dtype="float32", always_2d=True)
        return np.asarray(samples, np.float32)
    mixture = generated_mixture(LENGTHS[case])
    return mixture[:, :1] if case == "mono" else mixture


def snr(expected: NDArray[np.floating], found: NDArray[np.floating]) -> float:
    """Signal-to-noise ratio in dB."""
    signal = np.asarray(expected, np.float64)
    noise = signal - found
    return float(10 * np.log10(np.sum(signal**2) / np.sum(noise**2)))

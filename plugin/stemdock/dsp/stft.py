"""Short-time Fourier transform and its inverse, with Spleeter's frames.

Conventions:
    Arrays are planar: samples `(n_channels, n_samples)` float32, spectra
    `(n_channels, n_frames, n_bins)` complex64, no scaling forward. Frames start
    every quarter of their length; nothing is centred, reflected or padded here.

References:
    Spleeter 2.4.2 uses `tf.signal.stft` with a periodic Hann window of 4096 samples, hop 1024,
    and the same window again after the inverse, times 2/3: at this overlap the squared windows
    sum to 3/2 everywhere.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from stemdock.dsp.transforms import irfft, rfft

if TYPE_CHECKING:
    from stemdock.types import ComplexArray, FloatArray

OVERLAP: Final = 4
"""Frames that cover each sample."""

_COMPENSATION: Final = 2 / 3
"""One over the sum of squared Hann windows at this overlap."""
_N_FRAMES_AT_ONCE: Final = 64
"""A megabyte of Spleeter's frames. Data that fits into the processor's cache takes half the time."""


@cache
def hann(frame_length: int) -> FloatArray:
    """Periodic Hann window, `(frame_length,)` float32, read-only.

    `tf.signal.stft` uses this window; `numpy.hanning` is the symmetric one.
    """
    phase = 2 * np.pi * np.arange(frame_length) / frame_length
    window = np.asarray(0.5 - 0.5 * np.cos(phase), np.float32)
    window.flags.writeable = False
    return window


def frames_length(n_frames: int, frame_length: int) -> int:
    """Samples under `n_frames` overlapping frames."""
    return (n_frames - 1) * (frame_length // OVERLAP) + frame_length


def stft(samples: FloatArray, frame_length: int, n_bins: int | None = None) -> ComplexArray:
    """Computes the spectrum of every whole frame of the samples.

    Args:
        samples: `(n_channels, n_samples)` float32, at least one frame long.
        frame_length: Samples in a frame, a multiple of 4.
        n_bins: Bins to keep, from 0 Hz up; all if not given.

    Returns:
        `(n_channels, n_frames, n_bins)` complex64.
    """
    n_bins = frame_length // 2 + 1 if n_bins is None else n_bins
    frames = sliding_window_view(samples, frame_length, axis=1)[:, :: frame_length // OVERLAP]
    spectrum = np.empty((*frames.shape[:2], n_bins), np.complex64)
    for kept, channel in zip(spectrum, frames, strict=True):
        for first in range(0, len(channel), _N_FRAMES_AT_ONCE):
            block = slice(first, first + _N_FRAMES_AT_ONCE)
            windowed = channel[block] * hann(frame_length)
            kept[block] = rfft(windowed)[:, :n_bins]
    return spectrum


def istft(spectrum: ComplexArray, frame_length: int) -> FloatArray:
    """Computes the inverse of `stft` by overlap-add.

    Args:
        spectrum: `(n_channels, n_frames, n_bins)` complex64. Missing bins at the top count as zero.
        frame_length: Samples in a frame, a multiple of 4.

    Returns:
        `(n_channels, frames_length(n_frames))` float32. The first and last three quarters of a frame are
        incomplete: add the ends of the neighbouring segments there.
    """
    n_channels, n_frames, _ = spectrum.shape
    hop_length = frame_length // OVERLAP
    hops = np.zeros((n_channels, n_frames + OVERLAP - 1, hop_length), np.float32)
    window = hann(frame_length) * np.float32(_COMPENSATION)
    for summed, channel in zip(hops, spectrum, strict=True):
        for first in range(0, n_frames, _N_FRAMES_AT_ONCE):
            frames = irfft(channel[first : first + _N_FRAMES_AT_ONCE], frame_length)
            frames *= window
            quarters = frames.reshape(-1, OVERLAP, hop_length)
            for quarter in range(OVERLAP):
                summed[first + quarter : first + quarter + len(quarters)] += quarters[:, quarter]
    return hops.reshape(n_channels, -1)

"""Changes of speed and pitch, made in the magnitudes, the same for a mixture and its stems.

The original has both but never uses them: they call functions that its TensorFlow removed.

References:
    deezer/spleeter 2.4.2, `audio/spectrogram.py`: the ranges, and zeros where nothing is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from stemdock import FloatArray

_STRETCH: Final = (0.9, 1.1)
"""Shortest and longest, times the original length."""
_SHIFT: Final = (-1.0, 1.0)
"""Semitones."""


def augmented(magnitudes: FloatArray, random: np.random.Generator) -> FloatArray:
    """A random change.

    Args:
        magnitudes: `(n_sources, n_frames, n_bins, n_channels)`.
        random: Decides how much.

    Returns:
        The same shape. Frames are cut or filled up at both ends, bins at the top.
    """
    stretch = random.uniform(*_STRETCH)
    shift = 2 ** (random.uniform(*_SHIFT) / 12)
    return _resized(_resized(magnitudes, 1, stretch, centred=True), 2, shift, centred=False)


def _resized(magnitudes: FloatArray, axis: int, factor: float, *, centred: bool) -> FloatArray:
    """Stretches an axis by linear interpolation and keeps its length."""
    length = magnitudes.shape[axis]
    resized_length = int(length * factor)
    positions = np.linspace(0, length - 1, resized_length)
    lower = np.minimum(positions.astype(int), length - 2)
    weight_shape = [-1 if each == axis else 1 for each in range(magnitudes.ndim)]
    weights = (positions - lower).astype(np.float32).reshape(weight_shape)
    resized = magnitudes.take(lower, axis) * (1 - weights) + magnitudes.take(lower + 1, axis) * weights
    result = np.zeros_like(magnitudes)
    kept = min(length, resized_length)
    first, target = ((resized_length - kept) // 2, (length - kept) // 2) if centred else (0, 0)
    np.moveaxis(result, axis, 0)[target : target + kept] = np.moveaxis(resized, axis, 0)[first : first + kept]
    return result

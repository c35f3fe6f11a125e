"""Gain and pan of a stereo signal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stemdock.lib.arrays import FloatArray


def panned(samples: FloatArray, gain_db: float, pan: float) -> FloatArray:
    """Sets the gain and pan of a signal.

    The law of the pan is that of the Web Audio API for stereo input (W3C, Web Audio API 1.1, section
    "StereoPannerNode"), so that a browser's mixer sounds the same: the channel on the far side moves over at
    equal power, the other one stays.

    Args:
        samples: `(n_samples, n_channels)`; two channels if `pan` is not 0.
        gain_db: dB.
        pan: From -1 (left) to 1 (right); 0 leaves the channels as they are.

    Returns:
        `(n_samples, n_channels)`, a new array.
    """
    gain = np.asarray(10 ** (gain_db / 20), samples.dtype)
    scaled: FloatArray = samples * gain
    if pan:
        near, far = (0, 1) if pan < 0 else (1, 0)
        angle = (1 - abs(pan)) * math.pi / 2
        moved = scaled[:, far].copy()
        scaled[:, far] = moved * np.asarray(math.sin(angle), samples.dtype)
        scaled[:, near] += moved * np.asarray(math.cos(angle), samples.dtype)
    return scaled

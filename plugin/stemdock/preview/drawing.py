"""Computing the waveform and the spectrogram of a stem in constant memory.

Conventions:
    The song's length is divided into columns of equal duration, so that stems line up even if their
    sample rates and lengths differ. Frequencies are in Hz. Bands are spaced evenly on a logarithmic
    axis, from the lowest to the highest.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock.dsp.stft import OVERLAP, stft

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stemdock.types import FloatArray

N_COLUMNS: Final = 1200
"""About the width of a large window in pixels; more columns would only make the page larger."""
N_BANDS: Final = 128
LOWEST_FREQUENCY: Final = 40.0
HIGHEST_FREQUENCY: Final = 20_000.0
LEVEL_RANGE: Final = 80.0
"""dB from the loudest point of all stems down to the darkest colour."""
_FRAME_DURATION: Final = 0.09
"""Approximate seconds: 4096 samples at 44.1 kHz, like Spleeter's frames."""


class Waveform:
    """The extremes of each column, up and down.

    Attributes:
        extremes: `(n_columns, 2)` float32, >= 0: the largest sample and the largest negated sample.
    """

    def __init__(self, total_length: int) -> None:
        """Prepares for a song of `total_length` samples. The last column includes any later samples."""
        self._total_length = max(1, total_length)
        self._n_columns = min(N_COLUMNS, self._total_length)
        self._length = 0
        self.extremes = np.zeros((self._n_columns, 2), np.float32)

    def add(self, block: FloatArray) -> None:
        """Adds the next samples `(n_samples, n_channels)`, all finite."""
        position = np.arange(self._length, self._length + len(block))
        column = np.minimum(position * self._n_columns // self._total_length, self._n_columns - 1)
        starts = np.flatnonzero(np.diff(column, prepend=-1))
        up = np.maximum.reduceat(block, starts, axis=0).max(axis=1)
        down = -np.minimum.reduceat(block, starts, axis=0).min(axis=1)
        touched = self.extremes[column[starts]]
        self.extremes[column[starts]] = np.maximum(touched, np.stack([up, down], axis=1))
        self._length += len(block)


class Spectrogram:
    """Mean power of each column in each band, over frames and channels.

    Frames are those of `stemdock.dsp.stft`; the first is centred on the first sample. Channels are added
    as powers, so that sound in opposite phase does not cancel out.
    """

    def __init__(self, total_length: int, sample_rate: int) -> None:
        """Prepares for a song of `total_length` samples at `sample_rate` Hz."""
        self._frame_length = frame_length_at(sample_rate)
        self._hop_length = self._frame_length // OVERLAP
        self._n_columns = min(N_COLUMNS, max(1, -(-total_length // self._hop_length)))
        self._hops_length = max(1, total_length)
        self._n_frames = 0
        self._waiting: FloatArray | None = None
        self._bands = Bands(self._frame_length, sample_rate)
        self._sums = np.zeros((self._n_columns, N_BANDS))
        self._counts = np.zeros(self._n_columns)

    def add(self, block: FloatArray) -> None:
        """Adds the next samples `(n_samples, n_channels)`, all finite."""
        if self._waiting is None:
            self._waiting = np.zeros((block.shape[1], self._frame_length // 2), np.float32)
        samples = np.concatenate([self._waiting, block.T], axis=1)
        n_frames = (samples.shape[1] - self._frame_length) // self._hop_length + 1
        if n_frames > 0:
            self._add_frames(samples)
            samples = samples[:, n_frames * self._hop_length :]
        self._waiting = samples

    def powers(self) -> FloatArray:
        """Completes the last frame and returns `(n_columns, N_BANDS)` float32, >= 0, in arbitrary units."""
        if self._waiting is not None:
            self._add_frames(np.pad(self._waiting, ((0, 0), (0, self._frame_length // 2))))
            self._waiting = None
        return np.asarray(self._sums / np.maximum(1, self._counts)[:, None], np.float32)

    def _add_frames(self, samples: FloatArray) -> None:
        if samples.shape[1] < self._frame_length:
            return
        spectrum = stft(samples, self._frame_length)
        power = self._bands.means(np.mean(spectrum.real**2 + spectrum.imag**2, axis=0))
        position = (self._n_frames + np.arange(len(power))) * self._hop_length
        column = np.minimum(position * self._n_columns // self._hops_length, self._n_columns - 1)
        np.add.at(self._sums, column, power)
        np.add.at(self._counts, column, 1)
        self._n_frames += len(power)


def frame_length_at(sample_rate: int) -> int:
    """Samples of a frame at `sample_rate` Hz: a power of two, of about 0.09 s."""
    return OVERLAP << max(2, round(math.log2(sample_rate * _FRAME_DURATION / OVERLAP)))


def band_edges(sample_rate: int) -> FloatArray:
    """Edges of the bands in Hz, `(N_BANDS + 1,)`, from 40 Hz to 20 kHz or half the sample rate."""
    highest = min(HIGHEST_FREQUENCY, sample_rate / 2)
    return np.geomspace(min(LOWEST_FREQUENCY, highest / 2), highest, N_BANDS + 1).astype(np.float32)


class Bands:
    """Mean powers of bands, computed from bins, each as wide as the spacing between them.

    For a band narrower than a bin, the mean covers one bin's width around the band's centre, which
    interpolates between two bins.
    """

    def __init__(self, frame_length: int, sample_rate: int) -> None:
        """Prepares for the bins of frames of `frame_length` samples at `sample_rate` Hz."""
        # Edges in bins, counted from the lower edge of the lowest bin.
        edges = band_edges(sample_rate).astype(np.float64) * frame_length / sample_rate + 0.5
        centre, width = (edges[:-1] + edges[1:]) / 2, np.maximum(np.diff(edges), 1)
        n_bins = frame_length // 2 + 1
        self._low = np.maximum(centre - width / 2, 0)
        self._high = np.minimum(centre + width / 2, n_bins)

    def means(self, power: FloatArray) -> NDArray[np.float64]:
        """Means `(n_frames, N_BANDS)` of powers `(n_frames, n_bins)`, both >= 0.

        They are differences of running sums. A matrix product would start a thread on each core and take
        longer.
        """
        sums = np.pad(np.cumsum(power, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
        difference = _between(sums, self._high) - _between(sums, self._low)
        means: NDArray[np.float64] = np.maximum(difference, 0) / (self._high - self._low)
        return means


def _between(sums: NDArray[np.float64], position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running sums at positions between bins."""
    index = np.minimum(position.astype(np.intp), sums.shape[1] - 2)
    share = position - index
    between: NDArray[np.float64] = (1 - share) * sums[:, index] + share * sums[:, index + 1]
    return between


def shades(powers: FloatArray, loudest: float, n_shades: int) -> NDArray[np.uint8]:
    """Powers as shades of a palette, on a decibel scale.

    Args:
        powers: `(n_columns, n_bands)`, >= 0.
        loudest: The power of the last shade; 0 or less if all stems are silent.
        n_shades: Number of shades; the first is for `LEVEL_RANGE` dB below the loudest, and lower.

    Returns:
        `(n_columns, n_bands)` uint8, 0 to `n_shades - 1`.
    """
    if loudest <= 0:
        return np.zeros(powers.shape, np.uint8)
    floor = 10 ** (-LEVEL_RANGE / 10)
    level = 10 * np.log10(np.clip(powers.astype(np.float64) / loudest, floor, 1))
    return np.asarray(np.rint((level / LEVEL_RANGE + 1) * (n_shades - 1)), np.uint8)

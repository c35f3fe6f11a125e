"""The picture of a stem that is still being made, in columns of equal duration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock.dsp.stft import OVERLAP, stft
from stemdock.preview.drawing import N_BANDS, Bands, band_edges, frame_length_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stemdock.types import FloatArray

_HOPS: Final = 2
"""Frames of a column: about 21 columns make a second."""
_FULL: Final = 255
_SILENCE: Final = -100.0
"""dB of the value 0."""
_STEPS: Final = 2.0
"""Values for each dB."""


class GrowingPicture:
    """Waveform and spectrogram of a stem, block by block.

    Attributes:
        column_length: Samples of one column.
        edges: Edges of the spectrogram's bands in Hz, ascending.
    """

    def __init__(self, sample_rate: int) -> None:
        """Prepares for blocks at `sample_rate` Hz."""
        self._frame_length = frame_length_at(sample_rate)
        self._hop_length = self._frame_length // OVERLAP
        self.column_length = _HOPS * self._hop_length
        self.edges = tuple(float(edge) for edge in band_edges(sample_rate))
        self._bands = Bands(self._frame_length, sample_rate)
        # A sine of full scale under a Hann window has this power in its bin.
        self._reference = (self._frame_length / 4) ** 2
        self._waiting: FloatArray | None = None
        self._lead_length = self._frame_length // 2

    def add(self, block: FloatArray) -> NDArray[np.uint8]:
        """Adds the next samples `(n_samples, n_channels)`, all finite, and returns the columns they complete.

        Returns:
            `(n_columns, 2 + n_bands)`. The first two values are the largest sample and the largest negated
            sample, 255 for full scale or more. The others are mean levels of bands: 0 for -100 dB or less,
            then half a dB each, where 0 dB is a sine of full scale in one bin.
        """
        if self._waiting is None:
            # The first frame is centred on the first sample.
            self._waiting = np.zeros((block.shape[1], self._lead_length), np.float32)
        samples = np.concatenate([self._waiting, block.T], axis=1)
        n_columns = max(0, (samples.shape[1] - self._frame_length) // self._hop_length + 1) // _HOPS
        self._waiting = samples[:, n_columns * self.column_length :]
        if not n_columns:
            return np.zeros((0, 2 + N_BANDS), np.uint8)
        end = n_columns * self.column_length
        return np.concatenate([self._extremes(samples, n_columns), self._levels(samples, end)], axis=1)

    def finish(self) -> NDArray[np.uint8]:
        """Returns the columns that were not complete yet."""
        if self._waiting is None:
            return np.zeros((0, 2 + N_BANDS), np.uint8)
        length = self._waiting.shape[1] - self._lead_length
        n_columns = -(-length // self.column_length)
        rest = np.zeros((n_columns * self.column_length - length + self._lead_length, 1), np.float32)
        return self.add(np.broadcast_to(rest, (len(rest), len(self._waiting))))

    def _extremes(self, samples: FloatArray, n_columns: int) -> NDArray[np.uint8]:
        """Columns begin half a frame after the frames that their spectra are made of."""
        inside = samples[:, self._lead_length :][:, : n_columns * self.column_length]
        columns = inside.reshape(len(samples), n_columns, self.column_length)
        extremes = np.stack([columns.max(axis=(0, 2)), -columns.min(axis=(0, 2))], axis=1)
        return np.asarray(np.rint(np.clip(extremes, 0, 1) * _FULL), np.uint8)

    def _levels(self, samples: FloatArray, end: int) -> NDArray[np.uint8]:
        used = samples[:, : end - self.column_length + self._frame_length + self._hop_length]
        spectrum = stft(used, self._frame_length)
        power = self._bands.means(np.mean(spectrum.real**2 + spectrum.imag**2, axis=0))
        columns = power.reshape(-1, _HOPS, N_BANDS).mean(axis=1)
        levels = 10 * np.log10(np.maximum(columns / self._reference, 10 ** (_SILENCE / 10)))
        return np.asarray(np.rint(np.clip((levels - _SILENCE) * _STEPS, 0, _FULL)), np.uint8)

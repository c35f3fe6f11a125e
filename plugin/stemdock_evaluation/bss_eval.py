"""BSS Eval, version 4: how close estimated sources are to the true ones.

Two least-squares projections split each estimate into the true source, spatial distortion, interference and
artifacts. Four ratios in dB compare the levels of these parts, second by second. They are the source to
distortion ratio (SDR), source to interference ratio (SIR), source to artifacts ratio (SAR) and image to
spatial distortion ratio (ISR).

References:
    E. Vincent, H. Sawada, P. Bofill, S. Makino, J. P. Rosca, "First Stereo Audio Source Separation Evaluation
    Campaign", ICA 2007, for source images.
    F.-R. Stöter, A. Liutkus, N. Ito, "The 2018 Signal Separation Evaluation Campaign", LVA/ICA 2018, for
    filters that are fitted to the whole song.

Conventions:
    Signals are float64 and time-first, `(n_samples, n_sources * n_channels)`, all channels of the first
    source before those of the second. They arrive in pieces, so that memory use does not depend on their
    length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from stemdock_evaluation.projection import Projection, Signals, Spectra

RATIOS: Final = ("SDR", "SIR", "SAR", "ISR")
"""The ratios, all in dB, in this order."""


def frame_ratios(
    frames: Iterable[tuple[Signals, Signals]], projection: Projection
) -> Iterator[NDArray[np.float64]]:
    """Computes the ratios frame by frame.

    Args:
        frames: True sources and their estimates, all of the same length.
        projection: The filters of the whole song.

    Yields:
        For each frame `(n_sources, 4)`, in the order of `RATIOS`, dB. NaN where a ratio is not finite, and
        in the whole frame if a source or an estimate is silent, since the ratios are then undefined.
    """
    spectra: _FilterSpectra | None = None
    for references, estimates in frames:
        n_sources = len(projection.alone)
        if _any_silent(references, n_sources) or _any_silent(estimates, n_sources):
            yield np.full((n_sources, len(RATIOS)), np.nan)
            continue
        spectra = spectra or _FilterSpectra.of(projection, len(references))
        yield _ratios(references, estimates, spectra)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FilterSpectra:
    """The filters of a projection as spectra, for frames of one length."""

    padded_length: int
    """Samples of a filtered frame."""
    n_fft: int
    together: Spectra
    alone: Spectra

    @classmethod
    def of(cls, projection: Projection, frame_length: int) -> Self:
        padded_length = frame_length + projection.together.shape[2] - 1
        n_fft = next_fast_len(padded_length, real=True)
        return cls(
            padded_length=padded_length,
            n_fft=n_fft,
            together=rfft(projection.together, n_fft),
            alone=rfft(projection.alone, n_fft),
        )

    def filtered(self, spectra: Spectra, filters: Spectra) -> NDArray[np.float64]:
        """Applies filters `(n_inputs, n_outputs, n_bins)`; returns signals `(n_outputs, padded_length)`."""
        products = np.einsum("if,iof->of", spectra, filters)
        samples: NDArray[np.float64] = irfft(products, self.n_fft)[:, : self.padded_length]
        return samples


def _ratios(references: Signals, estimates: Signals, filters: _FilterSpectra) -> NDArray[np.float64]:
    spectra = rfft(references.T, filters.n_fft)
    explained = filters.filtered(spectra, filters.together)
    n_sources, n_channels = filters.alone.shape[:2]
    rows = []
    for source in range(n_sources):
        own = slice(source * n_channels, (source + 1) * n_channels)
        true = _padded(references[:, own], filters.padded_length)
        estimate = _padded(estimates[:, own], filters.padded_length)
        image = filters.filtered(spectra[own], filters.alone[source])
        rows.append(
            (
                _decibels(true, estimate - true),
                _decibels(image, explained[own] - image),
                _decibels(explained[own], estimate - explained[own]),
                _decibels(true, image - true),
            )
        )
    return np.array(rows)


def _any_silent(signals: Signals, n_sources: int) -> bool:
    channels = signals.reshape(len(signals), n_sources, -1)
    return not np.all(np.any(channels, axis=(0, 2)))


def _padded(signals: Signals, length: int) -> NDArray[np.float64]:
    padded = np.zeros((signals.shape[1], length))
    padded[:, : len(signals)] = signals.T
    return padded


def _decibels(wanted: NDArray[np.float64], unwanted: NDArray[np.float64]) -> float:
    numerator, denominator = float(np.sum(wanted**2)), float(np.sum(unwanted**2))
    if numerator == 0 or denominator == 0:
        return float("nan")
    return float(10 * np.log10(numerator / denominator))

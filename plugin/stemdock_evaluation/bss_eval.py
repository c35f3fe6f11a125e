"""BSS Eval, version 4: how near estimated sources are to the true ones.

An estimate is split into the true source, a spatial distortion, interference and artifacts by two
least-squares projections: onto delayed versions of the true source's channels, and onto those of all
true sources. Four ratios in dB tell how loud the parts are, second by second.

Formulas: E. Vincent, H. Sawada, P. Bofill, S. Makino, J. P. Rosca, "First Stereo Audio Source Separation
Evaluation Campaign", ICA 2007, for source images; F.-R. Stöter, A. Liutkus, N. Ito, "The 2018 Signal
Separation Evaluation Campaign", LVA/ICA 2018, for filters that are those of the whole song.

Conventions:
    Signals are float64 and time-first, `(n_samples, n_sources * n_channels)`, all channels of the
    first source before those of the second. They pass in pieces, so that memory does not grow with
    their length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self, TypeAlias

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.linalg import toeplitz

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    Signals: TypeAlias = NDArray[np.float64]
    Spectra: TypeAlias = NDArray[np.complex128]

RATIOS: Final = ("SDR", "SIR", "SAR", "ISR")
"""Source to distortion, to interference, to artifacts, and image to spatial distortion, all in dB."""
_EPSILON: Final = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Filters that turn true sources into the part of each estimate that they explain."""

    together: NDArray[np.float64]
    """From every channel of every source to every channel of every estimate:
    `(n_signals, n_signals, filter_length)`."""
    alone: NDArray[np.float64]
    """From the channels of a source to those of its own estimate:
    `(n_sources, n_channels, n_channels, filter_length)`."""


def fit(pieces: Iterable[tuple[Signals, Signals]], n_sources: int, filter_length: int) -> Projection:
    """Finds the filters of a whole song.

    Args:
        pieces: True sources and their estimates, piece by piece; only the last may be shorter than the
            others.
        n_sources: Sources in a piece; each has as many channels.
        filter_length: Delays that the projections allow, from 0 up, in samples.
    """
    correlations = _correlations(pieces, filter_length)
    n_signals = len(correlations)
    n_channels = n_signals // n_sources
    gram = np.empty((n_signals, filter_length, n_signals, filter_length))
    for row in range(n_signals):
        for column in range(n_signals):
            gram[row, :, column] = toeplitz(correlations[row, column], correlations[column, row])
    targets = correlations[:, n_signals:].transpose(0, 2, 1)
    alone = []
    for source in range(n_sources):
        own = slice(source * n_channels, (source + 1) * n_channels)
        alone.append(_solve(gram[own, :, own].copy(), targets[own, :, own]))
    return Projection(together=_solve(gram, targets), alone=np.stack(alone))


def rated(frames: Iterable[tuple[Signals, Signals]], projection: Projection) -> Iterator[NDArray[np.float64]]:
    """Rates the estimates frame by frame.

    Args:
        frames: True sources and their estimates, the same length every time.
        projection: The filters of the whole song.

    Yields:
        For each frame `(n_sources, 4)`, in the order of `RATIOS`, dB. NaN where a ratio is not finite, and
        everywhere if a source or an estimate is silent: then nothing can be said about any.
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
    """A projection, ready for frames of one length."""

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
        """Signals `(n_outputs, padded_length)` that filters `(n_inputs, n_outputs, n_bins)` make of some."""
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


def _correlations(pieces: Iterable[tuple[Signals, Signals]], filter_length: int) -> NDArray[np.float64]:
    """Sums over t of reference i at t - k, times signal j at t.

    Returns:
        `(n_signals, 2 * n_signals, filter_length)`: j counts the references, then the estimates.
    """
    spectrum: Spectra | None = None
    n_fft = 0
    past: Signals | None = None
    for references, estimates in pieces:
        context = np.zeros((filter_length - 1, references.shape[1])) if past is None else past
        delayed = np.concatenate([context, references])
        past = delayed[len(delayed) - filter_length + 1 :]
        if spectrum is None:
            n_fft = next_fast_len(len(delayed), real=True)
            n_signals = references.shape[1]
            spectrum = np.zeros((n_signals, 2 * n_signals, n_fft // 2 + 1), np.complex128)
        now = np.concatenate([references, estimates], axis=1)
        # The zeros keep the circular correlation from wrapping round.
        now = np.concatenate([np.zeros((filter_length - 1, now.shape[1])), now])
        spectrum += rfft(delayed.T, n_fft).conj()[:, None] * rfft(now.T, n_fft)
    if spectrum is None:
        raise ValueError("no samples")
    correlations: NDArray[np.float64] = irfft(spectrum, n_fft)[:, :, :filter_length]
    return correlations


def _solve(gram: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least-squares filters; `gram` is overwritten.

    Args:
        gram: `(n_inputs, filter_length, n_inputs, filter_length)`.
        targets: `(n_inputs, filter_length, n_outputs)`.

    Returns:
        `(n_inputs, n_outputs, filter_length)`.
    """
    n_inputs, filter_length, n_outputs = targets.shape
    size = n_inputs * filter_length
    matrix = gram.reshape(size, size)
    # This much, and solving by LU, as museval does: where the sources have bands without energy, the
    # filters are a matter of rounding, and a firmer hand would bring other ratios.
    matrix[np.diag_indices(size)] += _EPSILON
    columns = targets.reshape(size, n_outputs)
    try:
        filters = np.linalg.solve(matrix, columns)
    except np.linalg.LinAlgError:
        # Equal channels, say: many filters fit equally well, and any of them will do.
        matrix[np.diag_indices(size)] += size * _EPSILON * matrix.diagonal().max()
        filters = np.linalg.solve(matrix, columns)
    return np.asarray(filters, np.float64).reshape(n_inputs, filter_length, n_outputs).transpose(0, 2, 1)


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

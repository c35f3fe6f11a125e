"""The least-squares projections of BSS Eval: filters that explain estimates by the true sources.

Conventions:
    Signals are float64 and time-first, `(n_samples, n_sources * n_channels)`, all channels of the first
    source before those of the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.linalg import toeplitz

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Signals: TypeAlias = NDArray[np.float64]
    Spectra: TypeAlias = NDArray[np.complex128]

_EPSILON: Final = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Filters that turn the true sources into the parts of the estimates that they explain."""

    together: NDArray[np.float64]
    """From every channel of every source to every channel of every estimate:
    `(n_signals, n_signals, filter_length)`."""
    alone: NDArray[np.float64]
    """From the channels of a source to those of its own estimate:
    `(n_sources, n_channels, n_channels, filter_length)`."""


def fit(pieces: Iterable[tuple[Signals, Signals]], n_sources: int, filter_length: int) -> Projection:
    """Fits the filters to a whole song.

    Args:
        pieces: True sources and their estimates, piece by piece; only the last piece may be shorter.
        n_sources: Number of sources in a piece, all with the same number of channels.
        filter_length: Length of the filters, samples.

    Raises:
        ValueError: There are no pieces.
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


def _correlations(pieces: Iterable[tuple[Signals, Signals]], filter_length: int) -> NDArray[np.float64]:
    """Correlates the true sources with all signals: sums over t of source i at t - k times signal j at t.

    Returns:
        `(n_signals, 2 * n_signals, filter_length)`; j counts the true sources, then the estimates.
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
        # Zeros before the signals keep the circular correlation from wrapping around.
        now = np.concatenate([np.zeros((filter_length - 1, now.shape[1])), now])
        spectrum += rfft(delayed.T, n_fft).conj()[:, None] * rfft(now.T, n_fft)
    if spectrum is None:
        raise ValueError("there are no samples to fit the filters to")
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
    # The same regularisation and LU decomposition as in museval: in bands without energy, the filters
    # depend on rounding, and other choices give other ratios.
    matrix[np.diag_indices(size)] += _EPSILON
    columns = targets.reshape(size, n_outputs)
    try:
        filters = np.linalg.solve(matrix, columns)
    except np.linalg.LinAlgError:
        # With equal channels, for example, many filters fit equally well, and any of them is right.
        matrix[np.diag_indices(size)] += size * _EPSILON * matrix.diagonal().max()
        filters = np.linalg.solve(matrix, columns)
    return np.asarray(filters, np.float64).reshape(n_inputs, filter_length, n_outputs).transpose(0, 2, 1)

"""Multichannel Wiener filter: divides each bin among the stems by level and by stereo position.

The model of a stem is a Gaussian source: its power in a bin of a frame, times its spatial covariance, which
says how the bin is spread over the channels in the whole song. The filter is the best linear estimate under
this model. It removes sound from other directions even where both stems are strong.

Conventions:
    Estimates have the network's layout, `(n_frames, n_bins, 2)` float32 for each stem; spectra are planar
    as in `stemdock.dsp.stft`. Sums over the whole song and the inverse of the mixture's covariance are
    float64: the covariance of a nearly monophonic song is nearly singular, and in float32 its determinant
    is rounding noise. (norbert, which Spleeter uses, computes in complex64 and differs by 60 to 75 dB.)

References:
    Spleeter 2.4.2 `--mwf`: `norbert.wiener(v, x)` 0.2.1 with one iteration from soft masks; Duong, Vincent
    and Gribonval, "Under-determined reverberant audio source separation using a full-rank spatial
    covariance model", IEEE TASLP 18.7, 2010. With eps = 2**-23 and powers p_j averaged over channels:
    y_j = x v_j / (eps + sum v), R_j = sum_t y_j y_j^H / (eps + sum_t p_j),
    result = p_j R_j (sum_k p_k R_k + sqrt(eps) I)^-1 x, all at a scale where |x| is at most 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stemdock.types import ComplexArray, FloatArray

    Doubles: TypeAlias = NDArray[np.float64]
    ComplexDoubles: TypeAlias = NDArray[np.complex128]

N_CHANNELS: Final = 2
"""The filter supports stereo only: its 2x2 covariances have an inverse in closed form."""
EPSILON: Final = float(np.finfo(np.float32).eps)
_PEAK: Final = 10.0
"""Largest magnitude in the filter. Louder spectra are scaled down to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Statistics of a song, or of a part of it, that the filter needs."""

    powers: Doubles
    """`(n_stems, 2, n_bins)`: |y_j|^2 of each channel, summed over frames."""
    cross: ComplexDoubles
    """`(n_stems, n_bins)`: left times conjugate right of y_j, summed over frames."""
    peak: float
    """Largest magnitude of the mixture's spectrum."""

    def __add__(self, other: Statistics) -> Statistics:
        return Statistics(
            powers=self.powers + other.powers,
            cross=self.cross + other.cross,
            peak=max(self.peak, other.peak),
        )


def gather_statistics(estimates: Sequence[FloatArray], spectrum: ComplexArray) -> Statistics:
    """Computes the statistics of some frames. The sum over all frames is that of the song.

    Args:
        estimates: One magnitude estimate for each stem, `(n_frames, n_bins, 2)`, >= 0.
        spectrum: Of the mixture, `(2, n_frames, n_bins)` or with more bins.
    """
    (left, right), shares = _mixture_and_shares(estimates, spectrum)
    powers = (_square(left), _square(right))
    product = left * right.conj()
    return Statistics(
        powers=np.array(
            [
                [
                    np.einsum("tf,tf,tf->f", power, part, part)
                    for power, part in zip(powers, share, strict=True)
                ]
                for share in shares
            ]
        ),
        cross=np.array([np.einsum("tf,tf,tf->f", product, *share) for share in shares]),
        peak=float(np.abs(spectrum).max(initial=0.0)),
    )


def wiener_filter(
    estimates: Sequence[FloatArray], spectrum: ComplexArray, statistics: Statistics
) -> ComplexArray:
    """Computes the stems' spectra of some frames.

    Args:
        estimates: As for `gather_statistics`.
        spectrum: As for `gather_statistics`. Bins above those of the estimates are dropped, since Spleeter's
            estimates there are zero.
        statistics: Of the whole song.

    Returns:
        `(n_stems, 2, n_frames, n_bins)` complex64, with the estimates' bins.
    """
    # The scale cancels in x. It matters only where constants are added to powers.
    scale = max(1.0, statistics.peak / _PEAK) ** -2
    norm = scale / (EPSILON + scale * statistics.powers.mean(axis=1))
    diagonal = statistics.powers * norm[:, None]
    cross = statistics.cross * norm
    (left, right), shares = _mixture_and_shares(estimates, spectrum)
    squares = (scale / N_CHANNELS * _square(left), scale / N_CHANNELS * _square(right))
    powers = [squares[0] * share[0] ** 2 + squares[1] * share[1] ** 2 for share in shares]
    white_left, white_right = _whiten(powers, diagonal, cross, left, right)
    stems = np.empty((len(estimates), N_CHANNELS, *left.shape), np.complex64)
    for stem, power, (c_left, c_right), c_cross in zip(stems, powers, diagonal, cross, strict=True):
        stem[0] = power * (c_left * white_left + c_cross * white_right)
        stem[1] = power * (c_cross.conj() * white_left + c_right * white_right)
    return stems


def _whiten(
    powers: Sequence[Doubles],
    diagonal: Doubles,
    cross: ComplexDoubles,
    left: ComplexDoubles,
    right: ComplexDoubles,
) -> tuple[ComplexDoubles, ComplexDoubles]:
    """Multiplies the mixture with the inverse of its covariance, which is Hermitian and 2x2."""
    c_left = sum((power * c for power, c in zip(powers, diagonal[:, 0], strict=True)), np.sqrt(EPSILON))
    c_right = sum((power * c for power, c in zip(powers, diagonal[:, 1], strict=True)), np.sqrt(EPSILON))
    c_cross = sum(power * c for power, c in zip(powers, cross, strict=True))
    inverse = 1 / (c_left * c_right - _square(c_cross))
    return (
        inverse * (c_right * left - c_cross * right),
        inverse * (c_left * right - c_cross.conj() * left),
    )


def _mixture_and_shares(
    estimates: Sequence[FloatArray], spectrum: ComplexArray
) -> tuple[ComplexDoubles, list[Doubles]]:
    """Returns the mixture's channels `(2, n_frames, n_bins)` and the soft mask of each stem."""
    planar = [estimate.transpose(2, 0, 1).astype(np.float64, order="C") for estimate in estimates]
    total = sum(planar, np.float64(EPSILON))
    n_bins = estimates[0].shape[1]
    return spectrum[..., :n_bins].astype(np.complex128), [each / total for each in planar]


def _square(values: ComplexDoubles) -> Doubles:
    """Squared magnitude."""
    return values.real**2 + values.imag**2

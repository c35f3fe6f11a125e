"""Harmonic/percussive separation by median filters, in constant memory.

A tone is a horizontal line in a spectrogram, a drum beat a vertical one. A median over time removes the
beats, and a median over frequency removes the tones. Soft masks made of the two share the mixture.

References:
    Fitzgerald, "Harmonic/percussive separation using median filtering", DAFx 2010. The parameters are those
    of librosa's `decompose.hpss` with its defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft, ndimage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from stemdock import FloatArray

_FRAME_LENGTH = 2048
_HOP_LENGTH = 512
_OVERLAP_LENGTH = _FRAME_LENGTH - _HOP_LENGTH
"""Samples that a frame shares with the next. So many zeros precede the mixture."""
_N_MEDIAN = 31
"""Frames, or bins, of a median."""
_N_CONTEXT = _N_MEDIAN // 2
"""Frames before and after a piece that its medians need."""
_N_FRAMES = 256
"""Frames of a piece, about three seconds."""
_PIECE_LENGTH = _N_FRAMES * _HOP_LENGTH
_WINDOW = np.float32(0.5) - np.float32(0.5) * np.cos(
    2 * np.pi * np.arange(_FRAME_LENGTH, dtype=np.float32) / _FRAME_LENGTH
)
"""Periodic Hann window."""
_COMPENSATION = np.float32(2 / 3)
"""One over the sum of the squared windows that cover a sample."""


class HpssEngine:
    """An engine as `stemdock.Engine` describes it."""

    stems = ("harmonic", "percussive")
    sample_rate = 44100
    n_channels = 2
    provider = "cpu"

    def separate(
        self,
        mixture: Iterable[FloatArray],
        on_analysed: Callable[[int], None],  # noqa: ARG002  the engine has a single pass
    ) -> Iterator[FloatArray]:
        """Separates a mixture: see `stemdock.Engine.separate`."""
        pieces = _Pieces(mixture)
        tail = np.zeros((2, self.n_channels, _OVERLAP_LENGTH), np.float32)
        n_given = -_OVERLAP_LENGTH
        for before, spectrum, after in _with_neighbours(map(_transform, pieces)):
            stems = _inverse(_masks(before, spectrum, after) * spectrum)
            stems[..., :_OVERLAP_LENGTH] += tail
            tail = stems[..., -_OVERLAP_LENGTH:].copy()
            # The first piece begins with the zeros, and the last one ends after the mixture.
            end = min(n_given + stems.shape[-1] - _OVERLAP_LENGTH, pieces.taken) - n_given
            finished = stems[..., max(0, -n_given) : end]
            n_given += stems.shape[-1] - _OVERLAP_LENGTH
            if finished.shape[-1]:
                yield np.ascontiguousarray(finished.transpose(0, 2, 1))


class _Pieces:
    """The mixture in pieces of a fixed length, so that the cut of its blocks does not matter.

    Each piece is `(n_channels, n_samples)` and contains whole frames. It begins with the samples that its
    first frames share with the previous piece.

    Attributes:
        taken: Samples of the mixture so far.
    """

    def __init__(self, blocks: Iterable[FloatArray]) -> None:
        self.taken = 0
        self._blocks = blocks

    def __iter__(self) -> Iterator[FloatArray]:
        buffer = np.zeros((2, _PIECE_LENGTH + _OVERLAP_LENGTH), np.float32)
        filled = _OVERLAP_LENGTH
        for block in self._blocks:
            position = 0
            while position < len(block):
                part = block[position : position + buffer.shape[1] - filled]
                buffer[:, filled : filled + len(part)] = part.T
                filled += len(part)
                position += len(part)
                self.taken += len(part)
                if filled == buffer.shape[1]:
                    yield buffer
                    following = np.zeros_like(buffer)
                    following[:, :_OVERLAP_LENGTH] = buffer[:, -_OVERLAP_LENGTH:]
                    buffer, filled = following, _OVERLAP_LENGTH
        # The last samples of the mixture need frames that end after it.
        if self.taken:
            n_frames = -(-filled // _HOP_LENGTH)
            buffer = np.pad(buffer, ((0, 0), (0, _OVERLAP_LENGTH)))
            yield buffer[:, : (n_frames - 1) * _HOP_LENGTH + _FRAME_LENGTH]


def _transform(samples: FloatArray) -> NDArray[np.complex64]:
    """Spectra of the frames in `(n_channels, n_samples)`, as `(n_channels, n_frames, n_bins)`."""
    frames = sliding_window_view(samples, _FRAME_LENGTH, axis=1)[:, ::_HOP_LENGTH]
    return np.asarray(fft.rfft(frames * _WINDOW, axis=-1), np.complex64)


def _inverse(spectra: NDArray[np.complex64]) -> FloatArray:
    """Frames added where they overlap, `(2, n_channels, n_samples)`."""
    frames = fft.irfft(spectra, axis=-1) * (_WINDOW * _COMPENSATION)
    *shape, n_frames, _ = frames.shape
    samples = np.zeros((*shape, (n_frames - 1) * _HOP_LENGTH + _FRAME_LENGTH), np.float32)
    for index in range(n_frames):
        first = index * _HOP_LENGTH
        samples[..., first : first + _FRAME_LENGTH] += frames[..., index, :]
    return samples


def _masks(before: Any, spectrum: Any, after: Any) -> FloatArray:
    """The masks of a piece, `(2, n_channels, n_frames, n_bins)`.

    Args:
        before: Spectra of the frames before the piece, as many as there are up to `_N_CONTEXT`.
        spectrum: Spectra of the piece.
        after: Spectra of the frames after it, as `before`.
    """
    magnitude = np.abs(np.concatenate([before, spectrum, after], axis=1))
    own = slice(before.shape[1], before.shape[1] + spectrum.shape[1])
    harmonic = ndimage.median_filter(magnitude, size=(1, _N_MEDIAN, 1), mode="reflect")[:, own]
    percussive = ndimage.median_filter(magnitude[:, own], size=(1, 1, _N_MEDIAN), mode="reflect")
    largest = np.maximum(harmonic, percussive)
    silent = largest < np.finfo(np.float32).tiny
    largest[silent] = 1
    powers = np.stack([(harmonic / largest) ** 2, (percussive / largest) ** 2])
    # Silence is shared equally.
    powers[:, silent] = 1
    masks: FloatArray = powers / powers.sum(axis=0)
    return masks


def _with_neighbours(spectra: Iterable[Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Each piece with the frames that precede and follow it."""
    before = current = None
    for following in spectra:
        if current is not None:
            yield before, current, following[:, :_N_CONTEXT]
            before = current[:, -_N_CONTEXT:]
        else:
            before = following[:, :0]
        current = following
    if current is not None:
        yield before, current, current[:, :0]

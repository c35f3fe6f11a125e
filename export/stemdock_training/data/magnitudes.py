"""Magnitudes of parts of songs, in the original's eight bits, kept on the disk.

A part is `chunk_duration` long. The original stores magnitudes in decibels as 256 levels over at most
100 dB below the loudest, and trains with what these give back. So the same is done here.

Conventions:
    Magnitudes are `(n_frames, n_bins, n_channels)`. In a stored part the first axis is the source: the
    mixture, then the stems.

References:
    deezer/spleeter 2.4.2: `dataset.py`, `audio/convertor.py` and `utils/tensor.py`.
"""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from stemdock import (
    AudioFileError,
    atomic_file,
    make_folder,
    open_audio,
    os_errors_as,
    samples_between,
    stft,
)
from stemdock_training.data.parts import segment_length
from stemdock_training.errors import TrainingWriteError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from stemdock import FloatArray
    from stemdock_export.config import SpleeterConfig
    from stemdock_training.data.parts import Part

    _Encoded = tuple[NDArray[np.uint8], FloatArray, FloatArray]

_FLOOR: Final = 1e-9
"""Smallest magnitude."""
_RANGE: Final = 100.0
"""dB below the loudest magnitude of a part."""
_LEVELS: Final = 255.9999


class PartStore:
    """Gives the magnitudes of parts, and keeps them in a folder, since decoding takes longer than a step."""

    def __init__(self, folder: Path, network: SpleeterConfig) -> None:
        """Takes the place.

        Args:
            folder: Is made when the first part is stored.
            network: Stems, frames and bins.
        """
        self._folder = folder
        self._network = network

    def magnitudes(self, part: Part) -> FloatArray:
        """The magnitudes of a part.

        Returns:
            `(1 + n_stems, n_frames, n_bins, n_channels)`, at least one segment long.

        Raises:
            AudioError: A file cannot be read any more.
            AudioFileError: A file has become too short.
            TrainingWriteError: The part cannot be stored.
        """
        path = self._folder / f"{self._key(part)}.npz"
        stored = _stored(path)
        if stored is None:
            stored = levels, low, high = _encoded(self._computed(part))
            with os_errors_as(lambda reason: TrainingWriteError(path, reason)):
                make_folder(self._folder)
                with atomic_file(path) as staged, staged.open("wb") as file:
                    np.savez(file, levels=levels, low=low, high=high)
        return _decoded(*stored)

    def _key(self, part: Part) -> str:
        """A name that changes with the files, the place, and all that the magnitudes depend on."""
        network = self._network
        facts: list[object] = [part.start, part.duration, network.stems]
        facts += [network.frame_length, network.hop_length, network.n_frames, network.n_bins]
        for path in part.song.files():
            status = path.stat()
            facts += [str(path.resolve()), status.st_size, status.st_mtime_ns]
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]

    def _computed(self, part: Part) -> FloatArray:
        """Magnitudes from the files, `(1 + n_stems, n_frames, n_bins, n_channels)`."""
        network, song = self._network, part.song
        sources = [(song.mixture,), *(song.stems[stem] for stem in network.stems)]
        waveforms = [_summed([_read(path, part, network) for path in paths]) for paths in sources]
        length = min(waveform.shape[1] for waveform in waveforms)
        spectra = [stft(each[:, :length], network.frame_length, network.n_bins) for each in waveforms]
        return np.stack([np.abs(each).transpose(1, 2, 0) for each in spectra])


def _stored(path: Path) -> _Encoded | None:
    """A part from its file; None if there is no file, or a damaged one, which is only a copy."""
    try:
        with path.open("rb") as file, np.load(file) as stored:
            return stored["levels"], stored["low"], stored["high"]
    except (OSError, EOFError, LookupError, TypeError, ValueError, zipfile.BadZipFile):
        return None


def _read(path: Path, part: Part, network: SpleeterConfig) -> FloatArray:
    """Samples of a part, `(n_channels, n_samples)`, at least one segment."""
    shorter = AudioFileError(
        path, "is shorter than before", remedy="Start the training again, which checks all files."
    )
    first = int(part.start * network.sample_rate)
    end = first + round(part.duration * network.sample_rate)
    with open_audio(path) as audio:
        blocks = samples_between(audio.blocks, first, end, if_empty=lambda: shorter)
        samples = np.concatenate(list(blocks))
    if len(samples) < segment_length(network):
        raise shorter
    return np.ascontiguousarray(samples.T)


def _summed(waveforms: Sequence[FloatArray]) -> FloatArray:
    length = min(each.shape[1] for each in waveforms)
    return np.asarray(np.sum([each[:, :length] for each in waveforms], axis=0), np.float32)


def _encoded(magnitudes: FloatArray) -> _Encoded:
    """Levels of each source, and the decibels of its lowest and highest level."""
    decibels = 20 * np.log10(np.maximum(magnitudes, _FLOOR))
    axes = (1, 2, 3)
    high = decibels.max(axis=axes, keepdims=True)
    decibels = np.maximum(decibels, high - _RANGE)
    low = decibels.min(axis=axes, keepdims=True)
    levels = ((decibels - low) / (high - low + 1e-16) * _LEVELS).astype(np.uint8)
    return levels, low, high


def _decoded(levels: NDArray[np.uint8], low: Any, high: Any) -> FloatArray:
    decibels = levels.astype(np.float32) * ((high - low) / _LEVELS) + low
    return np.asarray(10 ** (decibels / 20), np.float32)

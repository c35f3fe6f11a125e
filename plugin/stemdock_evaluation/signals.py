"""Several audio files read side by side, in pieces."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock import open_audio
from stemdock_evaluation.errors import TrackError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from stemdock import FloatArray

_NOTHING: Final = np.empty((0, 1), np.float32)


def read_together(
    groups: Sequence[Sequence[Path]], *, sample_rate: int, n_channels: int, piece_length: int
) -> Iterator[NDArray[np.float64]]:
    """Reads files side by side; those of a group are added up.

    Args:
        groups: Files, one group for each signal.
        sample_rate: Hz that all of them must have.
        n_channels: Of each signal; mono files are in all of its channels.
        piece_length: Samples in a piece, except for the last.

    Yields:
        `(n_samples, len(groups) * n_channels)`, all channels of the first group before those of the second.

    Raises:
        AudioFileError: A file cannot be read.
        TrackError: A file has another sample rate, or another length than the last one,
            which is an estimate and as long as its mixture.
    """
    paths = [path for group in groups for path in group]
    with ExitStack() as files:
        readers = []
        for path in paths:
            audio = files.enter_context(open_audio(path))
            if audio.sample_rate != sample_rate:
                raise TrackError(
                    path,
                    f"has {audio.sample_rate} Hz where the mixture has {sample_rate} Hz",
                    remedy="Convert the files of a track to one sample rate.",
                )
            readers.append(_cut(audio.blocks, piece_length))
        while True:
            # An empty piece ends a file.
            pieces = dict(zip(paths, (next(reader, _NOTHING) for reader in readers), strict=True))
            length = len(pieces[paths[-1]])
            for path, piece in pieces.items():
                if len(piece) != length:
                    raise TrackError(
                        path,
                        "is not as long as its mixture",
                        remedy="Use stems that are as long as their mixture, to the sample.",
                    )
            if not length:
                return
            yield np.concatenate([_added(group, pieces, n_channels) for group in groups], axis=1)


def _added(group: Sequence[Path], pieces: dict[Path, FloatArray], n_channels: int) -> NDArray[np.float64]:
    total = np.zeros((1, n_channels))
    for path in group:
        total = total + pieces[path]
    return total


def _cut(blocks: Iterator[FloatArray], length: int) -> Iterator[FloatArray]:
    """The same samples in pieces of one length; only the last may be shorter."""
    kept: list[FloatArray] = []
    n_kept = 0
    for block in blocks:
        kept.append(block)
        n_kept += len(block)
        if n_kept >= length:
            joined = np.concatenate(kept)
            for start in range(0, n_kept - length + 1, length):
                yield joined[start : start + length]
            n_kept %= length
            kept = [joined[len(joined) - n_kept :]]
    if n_kept:
        yield np.concatenate(kept)

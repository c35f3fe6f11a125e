"""Reads several audio files side by side, in pieces."""

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
    """Reads files side by side and adds up the files of each group.

    Args:
        groups: Files, one group for each signal.
        sample_rate: The sample rate of all files, Hz.
        n_channels: Channels of each signal; a mono file counts for all channels.
        piece_length: Samples in a piece; the last piece may be shorter.

    Yields:
        `(n_samples, len(groups) * n_channels)`, all channels of the first group before those of the second.

    Raises:
        AudioFileError: A file cannot be read.
        TrackError: A file has another sample rate than the mixture, or another length.
    """
    paths = [path for group in groups for path in group]
    with ExitStack() as files:
        readers = []
        for path in paths:
            audio = files.enter_context(open_audio(path))
            if audio.sample_rate != sample_rate:
                raise TrackError(
                    path,
                    f"its sample rate is {audio.sample_rate} Hz, and that of the mixture is {sample_rate} Hz",
                    remedy="Convert all files of the track to the same sample rate.",
                )
            readers.append(_cut(audio.blocks, piece_length))
        while True:
            # An empty piece marks the end of a file.
            pieces = dict(zip(paths, (next(reader, _NOTHING) for reader in readers), strict=True))
            length = len(pieces[paths[-1]])
            for path, piece in pieces.items():
                if len(piece) != length:
                    raise TrackError(
                        path,
                        "does not have the length of the mixture",
                        remedy="Make all files of the track equally long, to the sample.",
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
    """The samples in pieces of one length; only the last piece may be shorter."""
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

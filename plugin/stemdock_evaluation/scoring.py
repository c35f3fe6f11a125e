"""Scores of one track, and medians over tracks."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock_evaluation.bss_eval import RATIOS, frame_ratios
from stemdock_evaluation.errors import TrackError
from stemdock_evaluation.projection import fit
from stemdock_evaluation.signals import read_together

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from stemdock import SeparatedFile
    from stemdock_evaluation.dataset import Track

WINDOW: Final = 1.0
"""Length of a frame and hop between frames, seconds."""
FILTER_LENGTH: Final = 512
"""Length of the projection filters, samples: BSS Eval's usual value."""
_DECIMALS: Final = 5
"""Decimals of a ratio in dB, as in museval."""
_N_FFT: Final = 1 << 14
"""Length of the transforms for correlations; longer ones take more memory and are hardly faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackScores:
    """The scores of one track."""

    track: str
    duration: float
    """Seconds."""
    n_frames: int
    """Whole seconds of the track."""
    n_rated_frames: int
    """Seconds in which no stem is silent."""
    stems: Mapping[str, Mapping[str, float | None]]
    """For each stem, the median over frames of each ratio in `RATIOS`, dB."""
    frames: Mapping[str, NDArray[np.float64]]
    """For each stem `(n_frames, 4)`, in the order of `RATIOS`, dB; NaN where a ratio is undefined."""


def score(track: Track, separated: SeparatedFile, references: Mapping[str, tuple[str, ...]]) -> TrackScores:
    """Compares estimates with the true stems; memory use does not depend on the length of the track.

    Args:
        track: The track with the true stems.
        separated: The estimates, in floating point so that they are not rounded.
        references: For each measured estimate, the true stems that add up to it.

    Raises:
        AudioFileError: A file cannot be read.
        TrackError: The true stems do not match the mixture, or in every second some stem is silent.
    """
    groups = [[track.stem(part) for part in parts] for parts in references.values()]
    groups += [[separated.stems[stem]] for stem in references]
    n_signals = len(references) * separated.n_channels

    def pieces(piece_length: int) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        for piece in read_together(
            groups,
            sample_rate=separated.sample_rate,
            n_channels=separated.n_channels,
            piece_length=piece_length,
        ):
            yield piece[:, :n_signals], piece[:, n_signals:]

    window_length = min(round(WINDOW * separated.sample_rate), separated.total_length)
    projection = fit(pieces(_N_FFT - FILTER_LENGTH + 1), len(references), FILTER_LENGTH)
    frames = (frame for frame in pieces(window_length) if len(frame[0]) == window_length)
    ratios = np.stack(list(frame_ratios(frames, projection)))
    n_rated_frames = int(np.count_nonzero(~np.isnan(ratios).all(axis=(1, 2))))
    if not n_rated_frames:
        raise TrackError(
            track.folder,
            "in every second, at least one stem is silent",
            remedy="Remove this track from the folder: silent stems cannot be measured.",
        )
    return TrackScores(
        track=track.name,
        duration=separated.total_length / separated.sample_rate,
        n_frames=len(ratios),
        n_rated_frames=n_rated_frames,
        stems={
            stem: {name: _median(ratios[:, index, column].tolist()) for column, name in enumerate(RATIOS)}
            for index, stem in enumerate(references)
        },
        frames={stem: ratios[:, index] for index, stem in enumerate(references)},
    )


def aggregate(tracks: Sequence[TrackScores]) -> Mapping[str, Mapping[str, float | None]]:
    """For each stem, the median over tracks of each ratio in `RATIOS`, dB."""
    stems = tracks[0].stems if tracks else {}
    return {
        stem: {name: _median([each.stems[stem][name] for each in tracks]) for name in RATIOS}
        for stem in stems
    }


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None and not np.isnan(value)]
    # Adding 0.0 turns a negative zero into zero.
    return round(statistics.median(known), _DECIMALS) + 0.0 if known else None

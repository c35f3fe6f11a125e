"""Scores of one track, and those of many."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock_evaluation.bss_eval import RATIOS, fit, rated
from stemdock_evaluation.errors import TrackError
from stemdock_evaluation.signals import read_together

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from stemdock import SeparatedFile
    from stemdock_evaluation.dataset import Track

WINDOW: Final = 1.0
"""Seconds in a frame, and from one frame to the next."""
FILTER_LENGTH: Final = 512
"""Delays that the projections allow, in samples: what BSS Eval has always used."""
_DECIMALS: Final = 5
"""Of a ratio in dB, as in museval."""
_N_FFT: Final = 1 << 14
"""Length of the transforms that correlate: longer ones are hardly faster and take more memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackScores:
    """How well one track was separated."""

    track: str
    duration: float
    """Seconds."""
    n_frames: int
    """Whole seconds of the track."""
    n_rated_frames: int
    """Those in which no stem is silent."""
    stems: Mapping[str, Mapping[str, float | None]]
    """For each stem the median over frames of each of `RATIOS`, dB."""


def score(track: Track, separated: SeparatedFile, references: Mapping[str, tuple[str, ...]]) -> TrackScores:
    """Compares estimates with the true stems, in memory that does not grow with the track.

    Args:
        track: Has the true stems.
        separated: Has the estimates; floating point, so that nothing is lost to rounding.
        references: For each estimate that is measured, the true stems that add up to it.

    Raises:
        AudioFileError: A file cannot be read.
        TrackError: The true stems do not fit the mixture, or there is no second in which all are heard.
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
    ratios = np.stack(list(rated(frames, projection)))
    n_rated_frames = int(np.count_nonzero(~np.isnan(ratios).all(axis=(1, 2))))
    if not n_rated_frames:
        raise TrackError(
            track.folder,
            "there is no second in which every stem is heard",
            remedy="Leave this track out: a silent stem cannot be compared.",
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
    )


def aggregate(tracks: Sequence[TrackScores]) -> Mapping[str, Mapping[str, float | None]]:
    """For each stem the median over tracks of each of `RATIOS`, dB."""
    stems = tracks[0].stems if tracks else {}
    return {
        stem: {name: _median([each.stems[stem][name] for each in tracks]) for name in RATIOS}
        for stem in stems
    }


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None and not np.isnan(value)]
    # Without a negative zero.
    return round(statistics.median(known), _DECIMALS) + 0.0 if known else None

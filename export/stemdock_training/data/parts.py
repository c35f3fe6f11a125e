"""The places in songs that segments are taken from: parts, each `chunk_duration` long.

References:
    deezer/spleeter 2.4.2: `dataset.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock import audio_info

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock_export.config import SpleeterConfig
    from stemdock_training.config import TrainingConfig
    from stemdock_training.data.songs import Song

_MARGIN: Final = 0.5
"""Seconds at both ends of a song that no part is taken from."""
_VALIDATION_DURATION: Final = 12.0
"""Seconds of the one part of a song for validation, unless a segment is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a song."""

    song: Song
    start: float
    """Seconds."""
    duration: float
    """Seconds."""


def segment_length(network: SpleeterConfig) -> int:
    """Samples under the frames of one segment."""
    return (network.n_frames - 1) * network.hop_length + network.frame_length


def usable_duration(song: Song) -> float:
    """Length of a song's shortest file, seconds: a stem may end a little before its mixture.

    Raises:
        StemdockError: A file cannot be read any more.
    """
    return min(audio_info(path).duration for path in song.files())


def training_parts(
    songs: Sequence[Song], durations: Sequence[float], shortest: float, config: TrainingConfig
) -> list[Part]:
    """The parts of songs that training takes segments from: evenly spaced, or the middle of the song.

    The places are the original's, except that a part at the end of a song begins early enough to hold a
    segment. The original leaves such a part out.

    Args:
        songs: The songs.
        durations: Their lengths, seconds; at least `shortest`.
        shortest: Length of a segment, seconds.
        config: Number and length of the parts; they are not shorter than a segment.
    """
    parts = []
    n_parts, duration = config.n_chunks_per_song, config.chunk_duration
    for song, length in zip(songs, durations, strict=True):
        for number in range(n_parts):
            if n_parts == 1:
                start = (length - duration) / 2
            else:
                start = number * (length - duration - 2 * _MARGIN) / (n_parts - 1) + _MARGIN
            if number == 0 or start > 0:  # a song that is shorter than a part has one
                start = max(min(start, length - shortest), 0.0)
                parts.append(Part(song=song, start=start, duration=duration))
    return parts


def validation_parts(songs: Sequence[Song], durations: Sequence[float], shortest: float) -> list[Part]:
    """The middle of each song.

    Args:
        songs: The songs.
        durations: Their lengths, seconds; at least `shortest`.
        shortest: Length of a segment, seconds.
    """
    wanted = max(_VALIDATION_DURATION, shortest)
    return [
        Part(song=song, start=max((length - wanted) / 2, 0.0), duration=wanted)
        for song, length in zip(songs, durations, strict=True)
    ]

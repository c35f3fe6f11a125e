"""Parts of a song, by time."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from stemdock.errors import ArgumentError, AudioFileError
from stemdock.lib.arguments import is_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from stemdock.audio import AudioStream
    from stemdock.lib.arguments import StrPath
    from stemdock.types import Damage, FloatArray

_ROUNDING: Final = 6
"""Decimal places of a sample: a time that means a whole sample must not miss it by a rounding error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """The part of a song to separate; the whole song by default."""

    start: float = 0.0
    """Seconds into the song, rounded down to a whole sample."""
    duration: float | None = None
    """Seconds from `start`, rounded up to a whole sample; None for the rest of the song."""

    def __post_init__(self) -> None:
        """Checks the fields.

        Raises:
            ArgumentError: A time is not a finite number, or is negative.
        """
        if not is_number(self.start, 0):
            raise ArgumentError("start", self.start, "a number of seconds, 0 or more")
        if self.duration is not None and not is_number(self.duration, 0):
            raise ArgumentError("duration", self.duration, "a number of seconds, 0 or more")


WHOLE_SONG: Final = Excerpt()


def excerpt_of(source: StrPath, audio: AudioStream, excerpt: Excerpt) -> AudioStream:
    """Limits an open file to an excerpt.

    Args:
        source: The file, for error messages.
        audio: The same file, open.
        excerpt: The part to read; may extend beyond the end of the file.

    Raises:
        AudioFileError: The file contains no audio in that part. If the length of the file is unknown,
            the blocks raise it while they are read.
    """
    start, duration = excerpt.start, excerpt.duration
    if start <= 0 and duration is None:
        return audio
    if not math.isfinite(start * audio.sample_rate):
        raise _empty_excerpt(source, start)
    first = max(0, math.floor(round(start * audio.sample_rate, _ROUNDING)))
    end = None
    if duration is not None and not math.isinf((start + duration) * audio.sample_rate):
        end = math.ceil(round((start + duration) * audio.sample_rate, _ROUNDING))
    total_length = audio.total_length
    if total_length is not None:
        total_length = max(0, min(total_length, total_length if end is None else end) - first)
    if total_length == 0 or (end is not None and end <= first):
        raise _empty_excerpt(source, start)
    blocks = samples_between(audio.blocks, first, end, if_empty=lambda: _empty_excerpt(source, start))
    return replace(audio, total_length=total_length, blocks=blocks)


def damage_within(damage: Iterable[Damage], excerpt: Excerpt) -> tuple[Damage, ...]:
    """The damaged places that touch an excerpt."""
    end = math.inf if excerpt.duration is None else excerpt.start + excerpt.duration
    return tuple(
        place
        for place in damage
        if place.start < end and (place.start + place.duration >= excerpt.start or place.kind == "end")
    )


def samples_between(
    blocks: Iterable[FloatArray], first: int, end: int | None, *, if_empty: Callable[[], Exception]
) -> Iterator[FloatArray]:
    """A part of a song.

    Args:
        blocks: The song, `(n_samples, n_channels)`.
        first: Its first sample in the part, 0 or more.
        end: One past the last; None for all samples. May be beyond the end of the song.
        if_empty: Makes the error that is raised if the song has no sample in the part.
    """
    position, is_empty = 0, True
    for block in blocks:
        part = block[max(0, first - position) : None if end is None else max(0, end - position)]
        position += len(block)
        if len(part):
            is_empty = False
            yield part
        if end is not None and position >= end:
            break
    if is_empty:
        raise if_empty()


def _empty_excerpt(source: StrPath, start: float) -> AudioFileError:
    return AudioFileError(
        source,
        f"contains no audio in the requested range, from {start:g} s",
        remedy="Choose another range.",
    )

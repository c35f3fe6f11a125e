"""Reads a part of a song at a given sample rate, in blocks."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stemdock import open_audio, resampled, samples_between
from stemdock_spleeter.errors import SpleeterError, spleeter_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """A part of a song that is open for reading."""

    sample_rate: int
    """Hz of the blocks."""
    total_length: int | None
    """Samples per channel of all blocks; None if the file does not say."""
    blocks: Iterator[FloatArray]
    """`(n_samples, 1 or 2)`; of more than two channels, front left and right. Can be read once."""


@contextmanager
def open_song(
    path: str, *, offset: float | None = None, duration: float | None = None, sample_rate: int | None = None
) -> Iterator[Song]:
    """Opens a part of a song. Its limits are rounded to samples at the rate of the result, as by ffmpeg.

    Args:
        path: Any audio file that Stemdock reads.
        offset: Seconds into the song; None for its start.
        duration: Seconds from the offset; None for the rest of the song.
        sample_rate: Hz; None for that of the song.

    Raises:
        SpleeterError: The file cannot be read, or has no samples in that part.
    """
    with spleeter_errors():
        if (offset or 0) < 0 or (duration is not None and not duration > 0):
            raise SpleeterError(
                f"{path}: contains no audio from {offset or 0:g} s on for {duration or 0:g} s",
                remedy="Choose an offset of 0 or more, and a duration above 0.",
            )
        with open_audio(path, "front") as audio:
            rate = sample_rate or audio.sample_rate
            first = round((offset or 0) * rate)
            end = None if duration is None else first + round(duration * rate)
            blocks = resampled(audio.blocks, audio.sample_rate, rate)
            whole = None if audio.total_length is None else audio.total_length * rate // audio.sample_rate
            length = None if whole is None else max(0, (whole if end is None else min(whole, end)) - first)
            part = samples_between(blocks, first, end, if_empty=lambda: _empty(path, first, end))
            yield Song(sample_rate=rate, total_length=length, blocks=_errors_of(part))


def _empty(path: str, first: int, end: int | None) -> SpleeterError:
    if end is not None and end <= first:
        return SpleeterError(f"{path}: the duration is less than a sample", remedy="Choose a longer one.")
    return SpleeterError(f"{path}: ends before the offset", remedy="Choose a smaller offset.")


def _errors_of(blocks: Iterator[FloatArray]) -> Iterator[FloatArray]:
    """The blocks; a damaged file can also fail here."""
    with spleeter_errors():
        yield from blocks

"""How much sound a file can contain. A few bytes can claim years of silence, which would fill any disk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from stemdock.errors import AudioFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock.audio.stream import AudioStream
    from stemdock.types import FloatArray

_ALWAYS: Final = 12 * 3600 * 48000
"""Samples per channel that every file may have: twelve hours at 48 kHz, for recordings of digital silence."""
_PER_BYTE: Final = 200
"""Samples per channel for each byte of a larger file. The most economical codec for speech, Codec 2 at
450 bit/s and 8 kHz, has 142; Opus at 6 kbit/s, 64; mp3 at 8 kbit/s and 24 kHz, 24."""


def most_samples(path: Path) -> int:
    """The largest number of samples per channel that a file of this size may contain."""
    return max(_ALWAYS, _PER_BYTE * path.stat().st_size)


def bounded(path: Path, stream: AudioStream) -> AudioStream:
    """A file whose blocks end with an error where they exceed the largest number of samples.

    Raises:
        AudioFileError: The file says itself that it has more.
    """
    limit = most_samples(path)

    def check(length: int) -> None:
        if length > limit:
            raise AudioFileError(
                path,
                "contains far more sound than a recording of its size can",
                remedy="Choose another file. If it is a genuine recording, convert it to WAV first.",
            )

    def blocks() -> Iterator[FloatArray]:
        length = 0
        for block in stream.blocks:
            length += len(block)
            check(length)
            yield block

    check(stream.total_length or 0)
    return replace(stream, blocks=blocks())

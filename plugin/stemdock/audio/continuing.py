"""What happens where libsndfile stops before the end of a file: ffmpeg continues, or the damage is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock.audio.ffmpeg.process import find_ffmpeg
from stemdock.errors import AudioFileError
from stemdock.types import Damage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock.audio.stream import AudioStream
    from stemdock.audio.structure.inspection import Inspection
    from stemdock.types import FloatArray


def continued(
    path: Path, stream: AudioStream, inspection: Inspection | None, damage: list[Damage]
) -> Iterator[FloatArray]:
    """The blocks of a file that libsndfile reads, up to the end of the file.

    Args:
        path: The file.
        stream: The file, opened by libsndfile.
        inspection: The second look at it; None if there was none.
        damage: Gets the damage that shows while the blocks are read.

    Raises:
        AudioFileError: The file is damaged, and ffmpeg cannot continue.
    """
    position = 0
    try:
        for block in stream.blocks:
            position += len(block)
            yield block
    except AudioFileError:
        if not find_ffmpeg():
            raise
        yield from _rest(path, stream, position, damage)
        return
    announced = stream.total_length
    if inspection is not None and inspection.total_length is not None and inspection.sample_rate:
        announced = inspection.total_length * stream.sample_rate // inspection.sample_rate
    if announced is not None and position < announced:
        if find_ffmpeg():
            yield from _rest(path, stream, position, damage)
        elif not damage:
            start, missing = position / stream.sample_rate, (announced - position) / stream.sample_rate
            damage.append(Damage(start=start, duration=missing, kind="end"))


def _rest(path: Path, stream: AudioStream, position: int, damage: list[Damage]) -> Iterator[FloatArray]:
    """The blocks from a position on, from ffmpeg."""
    from stemdock.audio.ffmpeg.reading import open_by_ffmpeg  # noqa: PLC0415  slow, and few files need it

    start = position / stream.sample_rate
    damage.append(Damage(start=start, duration=0.0, kind="invalid"))
    with open_by_ffmpeg(path) as other:
        skipped = 0
        for block in other.blocks:
            part = block[max(0, position - skipped) :]
            skipped += len(block)
            if len(part):
                yield part
    # libsndfile stops before the damage, and ffmpeg may say where exactly it is.
    if places := [place for place in other.damage if place.start >= start]:
        damage[-1:] = places

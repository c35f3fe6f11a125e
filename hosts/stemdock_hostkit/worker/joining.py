"""Joins channels that an editor keeps in files of their own."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from stemdock import AudioFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from threading import Event

    from stemdock import FloatArray
    from stemdock_hostkit.job.folder import Job
    from stemdock_hostkit.job.request import Request, Source


def joined_file(job: Job, source: Source) -> Path:
    """Where the channels of a source are joined."""
    return job.folder / f"{source.id}-channels.wav"


def own_files(job: Job, request: Request) -> list[Path]:
    """The files of the sources that exist for a job only."""
    paths = [source.path or joined_file(job, source) for source in request.sources]
    return [path for path in paths if job.owns(path)]


def join_channels(source: Source, path: Path, cancel: Event) -> None:
    """Writes a source's part of its channels to a new WAV file, in 32-bit floating point.

    Args:
        source: With channels.
        path: The new file.
        cancel: Set it from another thread to stop soon.

    Raises:
        AudioFileError: A file cannot be read, lacks the channel, has another sample rate than the others, or
            contains no audio in this part.
        OutputError: The new file cannot be written.
        CancelledError: `cancel` was set.
    """
    import numpy as np  # noqa: PLC0415  slow, and not needed by most jobs

    from stemdock import AudioWriter, Excerpt, Output, excerpt_of, open_audio  # noqa: PLC0415  slow

    excerpt = Excerpt(start=source.start, duration=source.duration)
    with ExitStack() as stack:
        columns = []
        sample_rate = 0
        for channel in source.channels:
            audio = stack.enter_context(open_audio(channel.path, cancel=cancel))
            if channel.number >= audio.n_channels:
                raise _error(channel.path, f"has no channel {channel.number + 1}")
            if audio.sample_rate != (sample_rate or audio.sample_rate):
                raise _error(channel.path, f"has another sample rate than {source.channels[0].path.name}")
            sample_rate = audio.sample_rate
            part = excerpt_of(channel.path, audio, excerpt)
            columns.append(_channel_of(part.blocks, channel.number))
        writer = AudioWriter(
            path,
            output=Output(bit_depth="32f"),
            sample_rate=sample_rate,
            n_channels=len(columns),
            total_length=None,
        )
        with writer:
            for parts in _side_by_side(columns):
                writer.write(np.stack(parts, axis=1))


def _channel_of(blocks: Iterable[FloatArray], number: int) -> Iterator[FloatArray]:
    for block in blocks:
        yield block[:, number]


def _side_by_side(columns: Sequence[Iterable[FloatArray]]) -> Iterator[list[FloatArray]]:
    """Blocks of equal length, until one of the columns ends."""
    streams = [iter(column) for column in columns]
    blocks = [next(stream, None) for stream in streams]
    while all(block is not None for block in blocks):
        length = min(len(block) for block in blocks if block is not None)
        yield [block[:length] for block in blocks if block is not None]
        rest = [block[length:] for block in blocks if block is not None]
        blocks = [
            block if len(block) else next(stream, None) for block, stream in zip(rest, streams, strict=True)
        ]


def _error(path: Path, reason: str) -> AudioFileError:
    return AudioFileError(path, reason, remedy="Import the audio into the session again, as a copy.")

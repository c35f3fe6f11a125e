"""From a stream of stems to finished files, straight or by way of a loudness that is known first."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

from stemdock.audio import AudioWriter, SampleSpool
from stemdock.errors import CancelledError
from stemdock.output.codecs import codec_of
from stemdock.output.mixes import summed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from threading import Event

    from stemdock.output.options import Output
    from stemdock.output.tags import Tags
    from stemdock.types import FloatArray

_LARGEST: Final = 1 - 2**-15
"""Largest sample that 16 bits can hold, of a full scale of 1; it leaves no doubt in any codec."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StemFile:
    """A file to write."""

    path: Path
    """Where, which must not exist yet."""
    indices: tuple[int, ...]
    """Of the stems that are added up for it."""
    tags: Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of the files, each by its name."""

    total_length: int
    """Samples a channel, of each."""
    gain: float
    """Factor that all samples were multiplied by."""
    peaks: Mapping[str, float]
    clipped_lengths: Mapping[str, int]
    tag_warnings: Mapping[str, str]
    """Empty where nothing went wrong."""


def write_stems(
    stems: Iterable[FloatArray],
    files: Mapping[str, StemFile],
    *,
    output: Output,
    sample_rate: int,
    n_channels: int,
    total_length: int | None,
    cancel: Event | None,
) -> Written:
    """Writes stems and sums of them, in memory that does not grow with their length.

    Args:
        stems: `(n_stems, n_samples, n_channels)` each.
        files: By name.
        output: How they are encoded, and whether clipping is prevented: then all samples wait in temporary
            files beside the finished ones until the peak of all is known.
        sample_rate: Hz of the stems.
        n_channels: Channels of the stems.
        total_length: Expected samples a channel; None if unknown.
        cancel: Set it to stop while files are written from temporary ones.

    Raises:
        OutputError: A file cannot be written.
        CancelledError: `cancel` was set.
    """

    def writer(file: StemFile) -> AudioWriter:
        return AudioWriter(
            file.path,
            output=output,
            sample_rate=sample_rate,
            n_channels=n_channels,
            total_length=total_length,
            tags=file.tags,
        )

    def encode(name: str) -> AudioWriter:
        with writer(files[name]) as written:
            for block in spools[name].blocks():
                if cancel is not None and cancel.is_set():
                    raise CancelledError
                written.write(block * gain if gain < 1 else block)
        return written

    gain = 1.0
    with ExitStack() as opened:
        if output.prevent_clipping:
            spools = {
                name: opened.enter_context(
                    SampleSpool(file.path.with_name(f"{file.path.name}.f32"), n_channels)
                )
                for name, file in files.items()
            }
            total_length = _distribute(stems, files, spools, map)
            gain = min(1.0, _LARGEST / max(_LARGEST, *(spool.peak for spool in spools.values())))
            for_each = opened.enter_context(_encoders(output, len(files)))
            writers = dict(zip(files, for_each(encode, files), strict=True))
        else:
            writers = {name: opened.enter_context(writer(file)) for name, file in files.items()}
            for_each = opened.enter_context(_encoders(output, len(files)))
            total_length = _distribute(stems, files, writers, for_each)
    return Written(
        total_length=total_length,
        gain=gain,
        peaks={name: writer.peak for name, writer in writers.items()},
        clipped_lengths={name: writer.clipped_length for name, writer in writers.items()},
        tag_warnings={name: writer.tag_warning for name, writer in writers.items()},
    )


@contextmanager
def _encoders(output: Output, n_files: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """Gives what is to be used as `map` over the files: it has a thread for each, if that is worth it."""
    # Compression takes longer than separation. Bare samples are on their way before a thread has woken up.
    if not codec_of(output).bitrates:
        yield map
        return
    with ThreadPoolExecutor(n_files, thread_name_prefix="stemdock-encoder") as pool:
        yield pool.map


def _distribute(
    stems: Iterable[FloatArray],
    files: Mapping[str, StemFile],
    sinks: Mapping[str, AudioWriter] | Mapping[str, SampleSpool],
    for_each: Callable[..., Iterator[Any]],
) -> int:
    """Writes each block to all sinks; returns the samples a channel of each."""

    def write(name: str, block: FloatArray) -> None:
        sinks[name].write(summed(block, files[name].indices))

    length = 0
    for block in stems:
        # What went wrong in a thread shows when its result is asked for.
        list(for_each(write, files, repeat(block)))
        length += block.shape[1]
    return length


def decibels(gain: float) -> float:
    """A factor in dB, 0 for none."""
    return 20 * math.log10(gain)

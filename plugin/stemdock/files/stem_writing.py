"""Writing of a stream of stems into files, with the peaks limited to full scale if requested."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from stemdock.audio import AudioWriter, SampleSpool
from stemdock.errors import CancelledError
from stemdock.output.codecs import codec_of
from stemdock.output.mixes import summed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from threading import Event

    from stemdock.audio import Signal
    from stemdock.output.options import Output
    from stemdock.output.tags import Tags
    from stemdock.types import FloatArray

_LARGEST: Final = 1 - 2**-15
"""Largest sample that 16 bits can hold, if full scale is 1: it clips in no codec."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StemFile:
    """A file to write."""

    path: Path
    """A path where no file exists yet."""
    indices: tuple[int, ...]
    """Indices of the stems whose sum is written."""
    tags: Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Facts about the written files; mappings are by the name of the stem or mix."""

    total_length: int
    """Samples per channel of each file."""
    gain: float
    """Factor that all samples were multiplied by."""
    peaks: Mapping[str, float]
    clipped_lengths: Mapping[str, int]
    tag_warnings: Mapping[str, str]
    """Why tags are missing; empty texts if none are."""


def write_stems(
    stems: Iterable[FloatArray],
    files: Mapping[str, StemFile],
    output: Output,
    signal: Signal,
    *,
    on_block: Callable[[int, Mapping[str, FloatArray]], None] | None = None,
    cancel: Event | None = None,
) -> Written:
    """Writes stems and sums of stems, in memory that does not grow with their length.

    Args:
        stems: Blocks `(n_stems, n_samples, n_channels)`.
        files: The files to write, by the name of the stem or mix.
        output: How they are encoded. To prevent clipping, all samples are first kept in temporary files
            beside the finished ones, until the peak of the whole song is known.
        signal: Sample rate, channels and expected length of the stems.
        on_block: As in `Observer`.
        cancel: Set it from another thread to stop while temporary files are encoded.

    Raises:
        OutputError: A file cannot be written.
        CancelledError: `cancel` was set.
    """
    with ExitStack() as opened:
        blocks = _summed_blocks(stems, files, signal.sample_rate, on_block)
        # Encoders are entered last: their threads must end before the files close.
        if not output.prevent_clipping:
            writers = {
                name: opened.enter_context(_writer(file, output, signal)) for name, file in files.items()
            }
            for_each = opened.enter_context(_encoders(output, len(files)))
            total_length = _distribute(blocks, writers, for_each)
            gain = 1.0
        else:
            spools = {
                name: opened.enter_context(SampleSpool(file.path.parent, signal.n_channels))
                for name, file in files.items()
            }
            total_length = _distribute(blocks, spools, map)
            known_signal = replace(signal, total_length=total_length)
            gain = min(1.0, _LARGEST / max(_LARGEST, *(spool.peak for spool in spools.values())))

            def encode(name: str) -> AudioWriter:
                with _writer(files[name], output, known_signal) as writer:
                    for block in spools[name].blocks():
                        if cancel is not None and cancel.is_set():
                            raise CancelledError
                        writer.write(block * gain if gain < 1 else block)
                return writer

            for_each = opened.enter_context(_encoders(output, len(files)))
            writers = dict(zip(files, for_each(encode, files), strict=True))
    return Written(
        total_length=total_length,
        gain=gain,
        peaks={name: writer.peak for name, writer in writers.items()},
        clipped_lengths={name: writer.clipped_length for name, writer in writers.items()},
        tag_warnings={name: writer.tag_warning for name, writer in writers.items()},
    )


def _writer(file: StemFile, output: Output, signal: Signal) -> AudioWriter:
    return AudioWriter(
        file.path,
        output=output,
        sample_rate=signal.sample_rate,
        n_channels=signal.n_channels,
        total_length=signal.total_length,
        tags=file.tags,
    )


@contextmanager
def _encoders(output: Output, n_files: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """Gives a `map` over the files, which has one thread per file if the codec compresses."""
    # Compression takes longer than separation. Without it, starting a thread takes longer than writing.
    if not codec_of(output).bitrates:
        yield map
        return
    with ThreadPoolExecutor(n_files, thread_name_prefix="stemdock-encoder") as pool:
        yield pool.map


def _summed_blocks(
    stems: Iterable[FloatArray],
    files: Mapping[str, StemFile],
    sample_rate: int,
    on_block: Callable[[int, Mapping[str, FloatArray]], None] | None,
) -> Iterator[Mapping[str, FloatArray]]:
    """The samples of each file `(n_samples, n_channels)`, block by block."""
    for block in stems:
        sounds = {name: summed(block, file.indices) for name, file in files.items()}
        if on_block:
            on_block(sample_rate, sounds)
        yield sounds


def _distribute(
    blocks: Iterable[Mapping[str, FloatArray]],
    sinks: Mapping[str, AudioWriter] | Mapping[str, SampleSpool],
    for_each: Callable[..., Iterator[Any]],
) -> int:
    """Writes each block to all sinks; returns the samples per channel written to each."""

    def write(name: str, block: FloatArray) -> None:
        sinks[name].write(block)

    length = 0
    for sounds in blocks:
        # An error in a thread is raised when its result is read.
        list(for_each(write, sounds, sounds.values()))
        length += len(next(iter(sounds.values())))
    return length


def decibels(gain: float) -> float:
    """A factor in dB; 0 dB for the factor 1."""
    return 20 * math.log10(gain)

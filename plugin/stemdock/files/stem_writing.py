"""Writing of a stream of stems into files, with the peaks limited to full scale if requested."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from stemdock.audio import AudioWriter, SampleSpool
from stemdock.errors import CancelledError
from stemdock.files.side_writing import side_writing
from stemdock.files.summing import summed
from stemdock.output.codecs import codec_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from threading import Event

    from stemdock.audio import Signal
    from stemdock.output.mixes import Levels
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
    levels: Levels = field(default_factory=dict)
    """The level of each of them; empty if all stay as they are."""


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
    n_threads: int = 1,
    on_block: Callable[[int, Mapping[str, FloatArray]], None] | None = None,
    on_encoded: Callable[[str, bytes], None] | None = None,
    cancel: Event | None = None,
) -> Written:
    """Writes stems and sums of stems, in memory that does not grow with their length.

    Args:
        stems: Blocks `(n_stems, n_samples, n_channels)`.
        files: The files to write, by the name of the stem or mix.
        output: How they are encoded. To prevent clipping, all samples are first kept in temporary files
            beside the finished ones, until the peak of the whole song is known.
        signal: Sample rate, channels and expected length of the stems.
        n_threads: Files that are encoded at the same time. They do not change the files.
        on_block: As in `Observer`.
        on_encoded: Called with the name and the next bytes of each file as soon as they are written.
        cancel: Set it from another thread to stop while temporary files are encoded.

    Raises:
        OutputError: A file cannot be written.
        CancelledError: `cancel` was set.
    """
    n_threads = min(n_threads, len(files))
    with ExitStack() as opened:
        if on_block:
            stems = _told(stems, files, signal.sample_rate, on_block)
        if not output.prevent_clipping:
            writers = {
                name: opened.enter_context(
                    _writer(file, output, signal, partial(on_encoded, name) if on_encoded else None)
                )
                for name, file in files.items()
            }
            total_length = _distribute(
                stems, files, writers, n_threads if codec_of(output).is_compressed else 0
            )
            gain = 1.0
        else:
            spools = {
                name: opened.enter_context(SampleSpool(file.path.parent, signal.n_channels))
                for name, file in files.items()
            }
            total_length = _distribute(stems, files, spools, 0)
            known_signal = replace(signal, total_length=total_length)
            gain = min(1.0, _LARGEST / max(_LARGEST, *(spool.peak for spool in spools.values())))

            def encode(name: str) -> AudioWriter:
                with _writer(files[name], output, known_signal) as writer:
                    for block in spools[name].blocks():
                        if cancel is not None and cancel.is_set():
                            raise CancelledError
                        writer.write(block * gain if gain < 1 else block)
                return writer

            with ThreadPoolExecutor(n_threads, thread_name_prefix="stemdock-encoder") as pool:
                writers = dict(zip(files, pool.map(encode, files), strict=True))
    return Written(
        total_length=total_length,
        gain=gain,
        peaks={name: writer.peak for name, writer in writers.items()},
        clipped_lengths={name: writer.clipped_length for name, writer in writers.items()},
        tag_warnings={name: writer.tag_warning for name, writer in writers.items()},
    )


def _writer(
    file: StemFile, output: Output, signal: Signal, on_encoded: Callable[[bytes], None] | None = None
) -> AudioWriter:
    return AudioWriter(
        file.path,
        output=output,
        sample_rate=signal.sample_rate,
        n_channels=signal.n_channels,
        total_length=signal.total_length,
        tags=file.tags,
        on_encoded=on_encoded,
    )


def _told(
    stems: Iterable[FloatArray],
    files: Mapping[str, StemFile],
    sample_rate: int,
    on_block: Callable[[int, Mapping[str, FloatArray]], None],
) -> Iterator[FloatArray]:
    """The same blocks, after `on_block` was told what each file gets of them."""
    for block in stems:
        on_block(
            sample_rate, {name: summed(block, file.indices, file.levels) for name, file in files.items()}
        )
        yield block


def _distribute(
    stems: Iterable[FloatArray],
    files: Mapping[str, StemFile],
    sinks: Mapping[str, AudioWriter] | Mapping[str, SampleSpool],
    n_threads: int,
) -> int:
    """Writes each block to all sinks; returns the samples per channel written to each.

    So many threads write, while the next block is made. Without any, the sinks are written one after the
    other, which is the fastest for those that do not compress.
    """

    def write(name: str, block: FloatArray) -> None:
        sinks[name].write(summed(block, files[name].indices, files[name].levels))

    def write_all(block: FloatArray) -> None:
        for name in sinks:
            write(name, block)

    length = 0
    with side_writing(sinks, write, n_threads) if n_threads else nullcontext(write_all) as hand_over:
        for block in stems:
            hand_over(block)
            length += block.shape[1]
    return length


def decibels(gain: float) -> float:
    """A factor in dB; 0 dB for the factor 1."""
    return 20 * math.log10(gain)

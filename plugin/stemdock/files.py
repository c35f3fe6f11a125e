"""The use case of the command line and of many hosts: a file in, a file for each stem out."""

from __future__ import annotations

import math
import shutil
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock.audio import WavWriter, open_audio
from stemdock.errors import AudioError, AudioFileError, OutputError, OutputExistsError
from stemdock.types import Progress, SeparatedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from threading import Event

    from stemdock.audio import AudioStream, BitDepth
    from stemdock.card import ModelCard
    from stemdock.separator import Separator
    from stemdock.types import FloatArray

_ROUNDING: Final = 6
"""Decimal places of a sample: seconds that meant a whole sample must not miss it by a rounding error."""


def separate_file(
    separator: Separator,
    source: Path,
    folder: Path,
    *,
    bit_depth: BitDepth = "32f",
    overwrite: bool = False,
    start: float = 0.0,
    duration: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: Event | None = None,
) -> SeparatedFile:
    """Separates a file into `folder/<stem>.wav`, at the source's own sample rate and length.

    The stems appear when all of them are complete; until then, and if anything goes wrong, there is
    nothing under their names, and folders made for them are gone again.

    Args:
        separator: Model and plug-ins.
        source: The mixture.
        folder: Where the stems go; made if it is missing.
        bit_depth: How samples are stored.
        overwrite: Whether stems that are there already may be replaced.
        start: Seconds into the file, rounded down to a whole sample: what is before it is left out.
        duration: Seconds from `start`, rounded up to a whole sample; to the end if not given or longer.
        on_progress: Called after every segment.
        cancel: Set it from another thread to stop at the next segment.

    Raises:
        AudioFileError: The mixture cannot be read or separated.
        OutputError: A stem is there already, or cannot be written.
        CancelledError: `cancel` was set.
    """
    targets = {stem: folder / f"{stem}.wav" for stem in separator.card.stems}
    with open_audio(source) as whole:
        audio = _excerpt(source, whole, start, duration)
        _check_targets(source, targets, overwrite=overwrite)
        with _staging(folder) as staging:
            staged = {stem: staging / path.name for stem, path in targets.items()}
            with _open_writers(separator.card, audio, staged, bit_depth) as writers:
                length = _write_stems(separator, source, audio, writers, on_progress, cancel)
            _check_targets(source, targets, overwrite=overwrite)
            for stem, path in targets.items():
                staged[stem].replace(path)
    separated = SeparatedFile(
        source=source,
        stems=targets,
        peaks={stem: writer.peak for stem, writer in writers.items()},
        clipped_lengths={stem: writer.clipped_length for stem, writer in writers.items()},
        card=separator.card,
        sample_rate=audio.sample_rate,
        total_length=length,
    )
    separator.plugins.separated(separated)
    return separated


def _excerpt(source: Path, audio: AudioStream, start: float, duration: float | None) -> AudioStream:
    """The part of an open file that is wanted."""
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
    return replace(
        audio, total_length=total_length, blocks=_excerpt_blocks(source, audio.blocks, start, first, end)
    )


def _excerpt_blocks(
    source: Path, blocks: Iterator[FloatArray], start: float, first: int, end: int | None
) -> Iterator[FloatArray]:
    """Samples from `first` up to `end`, of which there is at least one."""
    position = 0
    for block in blocks:
        wanted = block[max(0, first - position) : None if end is None else max(0, end - position)]
        position += len(block)
        if len(wanted):
            yield wanted
        if end is not None and position >= end:
            break
    if position <= first:
        raise _empty_excerpt(source, start)


def _empty_excerpt(source: Path, start: float) -> AudioFileError:
    return AudioFileError(
        source, f"has no audio in the part wanted, from {start:g} s", remedy="Choose another part of it."
    )


@contextmanager
def _open_writers(
    card: ModelCard, audio: AudioStream, paths: Mapping[str, Path], bit_depth: BitDepth
) -> Iterator[Mapping[str, WavWriter]]:
    """A writer for each stem, all closed at the end."""
    with ExitStack() as files:
        yield {
            stem: files.enter_context(
                WavWriter(
                    path,
                    sample_rate=audio.sample_rate,
                    n_channels=card.n_channels,
                    bit_depth=bit_depth,
                    total_length=audio.total_length,
                )
            )
            for stem, path in paths.items()
        }


def _write_stems(
    separator: Separator,
    source: Path,
    audio: AudioStream,
    writers: Mapping[str, WavWriter],
    on_progress: Callable[[Progress], None] | None,
    cancel: Event | None,
) -> int:
    """Separates an open file into open files; returns its samples a channel."""
    done_length = 0
    try:
        for stems in separator.stream(audio.blocks, audio.sample_rate, cancel=cancel):
            for writer, block in zip(writers.values(), stems, strict=True):
                writer.write(block)
            done_length += stems.shape[1]
            if on_progress:
                on_progress(Progress(done_length=done_length, total_length=audio.total_length))
    except AudioError as error:
        raise AudioFileError(source, str(error), remedy=error.remedy) from error
    return done_length


def _check_targets(source: Path, targets: Mapping[str, Path], *, overwrite: bool) -> None:
    for path in targets.values():
        if path.exists():
            if path.samefile(source):
                raise OutputError(path, "is the mixture itself", remedy="Choose another output folder.")
            if not overwrite:
                raise OutputExistsError(path)


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A hidden folder inside `folder` for unfinished files; leaves nothing of its own behind."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".stemdock-", dir=folder))
    except OSError as error:
        _remove_empty(missing)
        raise OutputError(
            folder,
            f"cannot be written to ({error.strerror})",
            remedy="Choose a folder that you may write to.",
        ) from error
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        _remove_empty(missing)


def _remove_empty(folders: list[Path]) -> None:
    """Removes folders, deepest first, up to the first that holds something."""
    with suppress(OSError):
        for path in folders:
            path.rmdir()

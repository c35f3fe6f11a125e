"""Separation of one file into one file per stem: what the command line and most hosts do."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from stemdock.audio import (
    Signal,
    UnreadableTagsError,
    check_encoder,
    open_audio,
    read_tags,
)
from stemdock.errors import ArgumentError, AudioError, AudioFileError, OutputOptionError
from stemdock.files.excerpts import WHOLE_SONG, Excerpt, damage_within, excerpt_of
from stemdock.files.growing import GrowingFiles
from stemdock.files.observing import Observer
from stemdock.files.packing import by_kind, levels, stem_files, tag_warnings
from stemdock.files.placing import placement
from stemdock.files.remainder import second_reading, with_remainder
from stemdock.files.stages import Stopwatch
from stemdock.files.staging import remove_abandoned
from stemdock.files.stem_writing import decibels, write_stems
from stemdock.lib.arguments import is_path
from stemdock.lib.os_errors import reason_for
from stemdock.output.codecs import check_growing, codec_of
from stemdock.output.formats import file_rate
from stemdock.output.options import Output
from stemdock.output.packages import Film
from stemdock.output.tags import Tags
from stemdock.types import DownmixMode, SeparatedFile, check_choice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from threading import Event

    from stemdock.audio import AudioStream
    from stemdock.audio.films import FilmSound
    from stemdock.files.placing import Placement
    from stemdock.files.stem_writing import StemFile, Written
    from stemdock.lib.arguments import StrPath
    from stemdock.separator import Separator
    from stemdock.types import Damage, FloatArray

_MAX_PLACES: Final = 5
"""Damaged places that get a warning of their own."""


def separate_file(
    separator: Separator,
    source: StrPath,
    targets: StrPath | Mapping[str, StrPath],
    *,
    output: Output = Output(),  # noqa: B008  a frozen value
    overwrite: bool = False,
    growing: bool = False,
    excerpt: Excerpt = WHOLE_SONG,
    downmix: DownmixMode = "refuse",
    track: int | None = None,
    observer: Observer = Observer(),  # noqa: B008  a frozen value
) -> SeparatedFile:
    """Separates an audio file into one file per stem, each as long as the source.

    The stems appear when all of them are complete. If anything goes wrong, no stem appears, and folders
    made for the stems are removed.

    Args:
        separator: Model and plug-ins.
        source: The mixture.
        targets: A folder, which gets `<stem>.<extension>`, or the file for each stem and mix. If the output
            has a format: a folder, which gets `<song>.stem.m4a` or `<song>.dawproject`, or the file for
            its name. Missing folders are created.
        output: Which stems and mixes are written, and how they are encoded.
        overwrite: Whether existing files are replaced.
        growing: Whether the files appear with their first segment and grow, so that they can be played
            meanwhile. If anything goes wrong, they are removed.
        excerpt: The part of the source to separate.
        downmix: What to do with a source that has more than two channels.
        track: Number of the audio track, from 1; None for the one that the source marks as its default, else
            the first.
        observer: Callbacks for progress, and an event that stops the separation.

    Raises:
        ArgumentError: An argument has the wrong type or is out of its range, or `targets` lacks a file.
        AudioFileError: The mixture cannot be read or separated.
        OutputOptionError: The codec or the model does not support what `output` asks for.
        OutputError: A stem already exists, or cannot be written.
        CancelledError: The observer's `cancel` was set.
    """
    if not is_path(source):
        raise ArgumentError("source", source, "the path of an audio file")
    check_choice("downmix", downmix, get_args(DownmixMode))
    source = Path(source)
    codec = codec_of(output)
    if growing or observer.on_encoded:
        check_growing(output)
    files = placement(separator, source, targets, output, overwrite=overwrite)
    check_encoder(codec, next(iter(files.places.values())))
    if growing:
        for folder in {path.parent for path in files.places.values()}:
            remove_abandoned(folder)  # what a killed run let grow would be in the way
    film = _film(files, excerpt, track, output) if isinstance(files.package, Film) else None
    with open_audio(source, downmix, track=track, cancel=observer.cancel) as whole:
        audio = excerpt_of(source, whole, excerpt)
        rate, decided_by = file_rate(output, audio.sample_rate)
        files.check()
        tags, warnings = _tags(source, observer.cancel) if output.copy_tags else (Tags(), [])
        with files.staged() as staged, _errors_of(source), ExitStack() as steps:
            sounds = stem_files(files, staged, tags)
            mixture = partial(second_reading, source, downmix, track, excerpt, rate)
            final = replace(output, sample_rate=rate)
            growth = GrowingFiles(staged, files.places, overwrite=files.overwrite) if growing else None
            if growth:
                steps.enter_context(growth.withdrawn_on_error())
                observer = growth.observed(observer)
            decoding, making, writing = Stopwatch(), Stopwatch(), Stopwatch()
            with writing.running():
                timed = replace(audio, blocks=decoding.each(audio.blocks))
                written = _write(separator, timed, sounds, final, observer, mixture, making)
            signal = Signal(
                sample_rate=rate, n_channels=separator.n_channels, total_length=written.total_length
            )
            if files.package:
                from stemdock.files.package_writing import pack  # noqa: PLC0415  as it says

                with writing.running():
                    warnings += pack(
                        files, staged, signal, tags, observer.cancel, film, copy_tags=output.copy_tags
                    )
            damage = damage_within(audio.damage, excerpt)
            if observer.before_placing:
                # The disk takes the files meanwhile.
                with files.flushing(staged):
                    observer.before_placing(
                        {files.places[name]: path for name, path in staged.items()}, damage
                    )
            if growth:
                growth.finish()
            else:
                files.place(staged)
    warnings += _damage_warnings(source, damage)
    if rate != audio.sample_rate and output.sample_rate is None:
        warnings.append(
            f"{next(iter(files.places.values()))}: {decided_by} does not support {audio.sample_rate} Hz, "
            f"so the files of this song have {rate} Hz"
        )
    separated = SeparatedFile(
        source=source,
        **by_kind(files, separator.stems),
        **levels(files, written),
        gain_db=decibels(written.gain),
        warnings=(*warnings, *tag_warnings(files, written)),
        model=separator.model,
        sample_rate=rate,
        n_channels=separator.n_channels,
        total_length=written.total_length,
        downmix=audio.downmix,
        damage=damage,
        stages={
            "decode": decoding.seconds,
            "separate": max(0.0, making.seconds - decoding.seconds),
            "encode": max(0.0, writing.seconds - making.seconds),
        },
    )
    separator.plugins.separated(separated)
    return separated


def _write(
    separator: Separator,
    audio: AudioStream,
    files: Mapping[str, StemFile],
    output: Output,
    observer: Observer,
    mixture: Callable[[], AbstractContextManager[Iterator[FloatArray]]],
    making: Stopwatch,
) -> Written:
    """Separates an open file into temporary files, at the sample rate of `output`.

    `making` counts the seconds until each block of stems is there.
    """
    rate = output.sample_rate or audio.sample_rate
    length = audio.total_length
    signal = Signal(
        sample_rate=rate,
        n_channels=separator.n_channels,
        total_length=None if length is None else -(-length * rate // audio.sample_rate),
    )
    stream = separator.stream(
        audio.blocks,
        audio.sample_rate,
        output_rate=rate,
        total_length=length,
        on_progress=observer.on_progress,
        cancel=observer.cancel,
    )
    # Otherwise its threads would live as long as an error that is handled, and end where that is forgotten.
    with closing(stream), ExitStack() as opened:
        stems: Iterator[FloatArray] = stream
        if any(len(separator.stems) in file.indices for file in files.values()):
            stems = with_remainder(stems, opened.enter_context(mixture()))
        return write_stems(
            making.each(stems),
            files,
            output,
            signal,
            n_threads=separator.n_threads,
            on_block=observer.on_block,
            on_encoded=observer.on_encoded,
            cancel=observer.cancel,
        )


def _film(files: Placement, excerpt: Excerpt, track: int | None, output: Output) -> FilmSound:
    """The sound of the film that gets another one; raises an error if it cannot get it."""
    if excerpt != WHOLE_SONG:
        raise OutputOptionError(
            "format",
            "a film cannot be cut: its pictures are copied",
            remedy="Leave --start and --duration out, and cut the film in a video editor.",
        )
    from stemdock.audio.films import film_sound  # noqa: PLC0415  as stemdock.audio says

    files.check()
    return film_sound(files.source, track, next(iter(files.places.values())), output.codec)


@contextmanager
def _errors_of(source: Path) -> Iterator[None]:
    """Adds the name of the file to errors in its samples."""
    try:
        yield
    except AudioError as error:
        raise AudioFileError(source, str(error), remedy=error.remedy) from error


def _tags(source: Path, cancel: Event | None) -> tuple[Tags, list[str]]:
    """The tags of a song, and warnings."""
    try:
        return read_tags(source, cancel), []
    except UnreadableTagsError as error:
        return Tags(), [f"{source}: its tags are damaged and not copied ({error})"]
    except OSError as error:
        raise AudioFileError(
            source, f"its tags cannot be read ({reason_for(error)})", remedy="Try again."
        ) from error


def _damage_warnings(source: Path, damage: Sequence[Damage]) -> list[str]:
    warnings = [f"{source}: {place}" for place in damage[:_MAX_PLACES]]
    if len(damage) > _MAX_PLACES:
        warnings.append(f"{source}: is damaged at {len(damage) - _MAX_PLACES} further places")
    return warnings

"""The use case of the command line and of many hosts: a file in, a file for each stem out."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stemdock.audio import UnreadableTagsError, check_encoder, open_audio, read_tags
from stemdock.errors import AudioError, AudioFileError, OutputError, OutputExistsError
from stemdock.files.excerpts import excerpt
from stemdock.files.staging import staging
from stemdock.files.stem_writing import StemFile, decibels, write_stems
from stemdock.output.codecs import codec_of, written_rate
from stemdock.output.mixes import selected
from stemdock.output.naming import Destination
from stemdock.output.options import Output
from stemdock.output.tags import Tags
from stemdock.types import SeparatedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from threading import Event

    from stemdock.audio import AudioStream
    from stemdock.files.stem_writing import Written
    from stemdock.output.codecs import Codec
    from stemdock.separator import Separator
    from stemdock.types import DownmixMode, Progress


def separate_file(
    separator: Separator,
    source: Path,
    targets: Path | Mapping[str, Path],
    *,
    output: Output = Output(),  # noqa: B008  a frozen value
    overwrite: bool = False,
    start: float = 0.0,
    duration: float | None = None,
    downmix: DownmixMode = "refuse",
    on_progress: Callable[[Progress], None] | None = None,
    before_placing: Callable[[Mapping[Path, Path]], None] | None = None,
    cancel: Event | None = None,
) -> SeparatedFile:
    """Separates a file into one file for each stem, as long as the source.

    The stems appear when all of them are complete; until then, and if anything goes wrong, there is
    nothing under their names, and folders made for them are gone again.

    Args:
        separator: Model and plug-ins.
        source: The mixture.
        targets: A folder, which gets `<stem>.<codec>`, or the file for each stem and mix. Folders are
            made if they are missing.
        output: Which stems and sums of stems are written, and how.
        overwrite: Whether stems that are there already may be replaced.
        start: Seconds into the file, rounded down to a whole sample: what is before it is left out.
        duration: Seconds from `start`, rounded up to a whole sample; to the end if not given or longer.
        downmix: What becomes of a source with more than two channels.
        on_progress: Called after every segment.
        before_placing: Called when all is written, with the complete files by the places that they are
            about to go to. If it raises, they go nowhere.
        cancel: Set it from another thread to stop at the next segment.

    Raises:
        AudioFileError: The mixture cannot be read or separated.
        OutputOptionError: The codec or the model has not what `output` wants.
        OutputError: A stem is there already, or cannot be written.
        CancelledError: `cancel` was set.
    """
    codec = codec_of(output)
    chosen = selected(output, separator.stems)
    if isinstance(targets, Path):
        in_folder = Destination(folder=targets, template="{instrument}.{codec}")
        targets = in_folder.targets(source, list(chosen), codec=codec.name, model=separator.model)
    places = {name: targets[name] for name in chosen}
    check_encoder(codec, next(iter(places.values())))
    with open_audio(source, downmix) as whole:
        audio = excerpt(source, whole, start, duration)
        rate = output.sample_rate or written_rate(codec, audio.sample_rate)
        _check_places(source, places, overwrite=overwrite)
        tags, warnings = _tags(source) if output.copy_tags else (Tags(), [])
        with _staged(places) as staged:
            files = {
                name: StemFile(path=staged[name], indices=indices, tags=_tags_of(tags, name))
                for name, indices in chosen.items()
            }
            written = _separate(separator, source, audio, files, output, rate, on_progress, cancel)
            if before_placing:
                before_placing({places[name]: path for name, path in staged.items()})
            _check_places(source, places, overwrite=overwrite)
            for name, path in places.items():
                staged[name].replace(path)
    separated = SeparatedFile(
        source=source,
        stems={name: path for name, path in places.items() if name in separator.stems},
        mixes={name: path for name, path in places.items() if name not in separator.stems},
        peaks=written.peaks,
        clipped_lengths=written.clipped_lengths,
        gain_db=decibels(written.gain),
        warnings=(*warnings, *_warnings(codec, places, written, audio.sample_rate, rate, output)),
        model=separator.model,
        sample_rate=rate,
        n_channels=separator.n_channels,
        total_length=written.total_length,
        downmix=audio.downmix,
    )
    separator.plugins.separated(separated)
    return separated


def _separate(
    separator: Separator,
    source: Path,
    audio: AudioStream,
    files: Mapping[str, StemFile],
    output: Output,
    rate: int,
    on_progress: Callable[[Progress], None] | None,
    cancel: Event | None,
) -> Written:
    """Separates an open file into files at a rate in Hz."""
    total_length = audio.total_length
    stems = separator.stream(
        audio.blocks,
        audio.sample_rate,
        output_rate=rate,
        total_length=total_length,
        on_progress=on_progress,
        cancel=cancel,
    )
    try:
        return write_stems(
            stems,
            files,
            output=output,
            sample_rate=rate,
            n_channels=separator.n_channels,
            total_length=None if total_length is None else -(-total_length * rate // audio.sample_rate),
            cancel=cancel,
        )
    except AudioError as error:
        raise AudioFileError(source, str(error), remedy=error.remedy) from error


def _tags(source: Path) -> tuple[Tags, list[str]]:
    try:
        return read_tags(source), []
    except UnreadableTagsError as error:
        return Tags(), [f"{source}: its tags are not copied, since they cannot be read ({error})"]


def _tags_of(tags: Tags, name: str) -> Tags:
    """The tags of a stem or mix: those of the song, with a title that tells it from the song."""
    return replace(tags, title=f"{tags.title} ({name})") if tags.title else tags


def _warnings(
    codec: Codec,
    places: Mapping[str, Path],
    written: Written,
    source_rate: int,
    rate: int,
    output: Output,
) -> Iterator[str]:
    if rate != source_rate and output.sample_rate is None:
        yield (
            f"{next(iter(places.values()))}: {codec.name} has no sample rate of {source_rate} Hz, "
            f"so this song's files have {rate} Hz"
        )
    for name, reason in written.tag_warnings.items():
        if reason:
            yield f"{places[name]}: not all tags were written ({reason})"


def _check_places(source: Path, places: Mapping[str, Path], *, overwrite: bool) -> None:
    for path in places.values():
        if path.exists():
            if path.samefile(source):
                raise OutputError(path, "is the mixture itself", remedy="Choose another output folder.")
            if not overwrite:
                raise OutputExistsError(path)


@contextmanager
def _staged(places: Mapping[str, Path]) -> Iterator[Mapping[str, Path]]:
    """For each file a place where it can be unfinished, and from which it can be moved at one go."""
    with ExitStack() as folders:
        unfinished: dict[Path, Path] = {}
        for path in places.values():
            if path.parent not in unfinished:
                unfinished[path.parent] = folders.enter_context(staging(path.parent))
        yield {name: unfinished[path.parent] / path.name for name, path in places.items()}

"""Separates one request into WAV files and a project that imports them."""

from __future__ import annotations

from contextlib import ExitStack
from functools import reduce
from operator import sub
from typing import TYPE_CHECKING

from stemdock import StemdockError, move_all_to_place, printable
from stemdock_audacity.errors import HOST
from stemdock_audacity.legacy import StemTrack, write_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from threading import Event

    from stemdock import Progress, Separator
    from stemdock_audacity.request import CapturedTrack, Request


def separate_request(
    separator: Separator,
    request: Request,
    folder: Path,
    *,
    on_progress: Callable[[float], None],
    cancel: Event,
) -> tuple[StemTrack, ...]:
    """Separates every track of a request.

    Args:
        separator: The separator with the request's model.
        request: The request.
        folder: Contains the captured `track-N.wav`; receives `N/<stem>.wav` and `stems.aup`.
        on_progress: Called with the finished share, 0 to 1.
        cancel: Set it to stop at the next segment.

    Returns:
        The new tracks, grouped by source track.

    Raises:
        StemdockError: The model has no such stem, or audio cannot be read, separated or written.
        CancelledError: `cancel` was set.
    """
    unknown = set(request.stems) - set(separator.stems)
    if unknown:
        raise StemdockError(
            f"the model {separator.model} has no stem {', '.join(sorted(unknown))}",
            remedy=f"Choose one of its stems: {', '.join(separator.stems)}.",
        )
    total = sum(track.separable_length for track in request.tracks)
    done = 0
    tracks: list[StemTrack] = []
    for track in request.tracks:

        def show(progress: Progress, before: int = done) -> None:
            on_progress((before + progress.done_length) / total)

        tracks += _separate_track(separator, request, track, folder, show, cancel)
        done += track.separable_length
    write_project(folder / "stems.aup", tracks, request.project_rate)
    return tuple(tracks)


def _separate_track(
    separator: Separator,
    request: Request,
    track: CapturedTrack,
    folder: Path,
    on_progress: Callable[[Progress], None],
    cancel: Event,
) -> Sequence[StemTrack]:
    # Loading the engine takes a while, and only separations need it.
    from stemdock import Observer, separate_file  # noqa: PLC0415

    mixture = folder / f"track-{track.index + 1}.wav"
    _cut(mixture, track)
    target = folder / str(track.index + 1)
    observer = Observer(on_progress=on_progress, cancel=cancel)
    made = separate_file(separator, mixture, target, overwrite=True, observer=observer)
    stems = {stem: path for stem, path in made.stems.items() if stem in (request.stems or made.stems)}
    if request.remainder:
        name = f"everything but {request.stems[0]}" if len(request.stems) == 1 else "everything else"
        remainder = target / "remainder.wav"
        _subtract(mixture, stems.values(), remainder)
        stems[name] = remainder
    for path in set(made.stems.values()) - set(stems.values()):
        path.unlink()
    mixture.unlink()
    return [
        StemTrack(
            # XML allows no control characters, and Audacity must find the name as it was written.
            name=printable(f"{track.name} \N{EN DASH} {stem}"),
            audio=path.absolute(),
            sample_rate=track.sample_rate,
            n_channels=made.n_channels,
            length=made.total_length,
            start=track.start,
        )
        for stem, path in stems.items()
    ]


def _cut(mixture: Path, track: CapturedTrack) -> None:
    """Removes the parts of a captured file that lie outside the track's audio.

    Raises:
        StemdockError: The file does not have the expected length.
    """
    from stemdock import AudioWriter, audio_info, open_audio, staging  # noqa: PLC0415

    info = audio_info(mixture)
    if info.total_length != track.length:
        raise StemdockError(
            f"{HOST}: Audacity exported {info.total_length} of {track.length} samples of {track.name!r}",
            remedy="Check the free disk space and try again.",
        )
    if track.separable_length == track.length:
        return
    first = track.first_sample - track.start_sample
    with staging(mixture.parent) as hidden:
        part = hidden / mixture.name
        with (
            open_audio(mixture) as audio,
            AudioWriter(
                part,
                sample_rate=audio.sample_rate,
                n_channels=audio.n_channels,
                total_length=track.separable_length,
            ) as target,
        ):
            position = 0
            for block in audio.blocks:
                begin = max(0, first - position)
                target.write(block[begin : max(begin, first + track.separable_length - position)])
                position += len(block)
        move_all_to_place({part: mixture})


def _subtract(mixture: Path, stems: Iterable[Path], remainder: Path) -> None:
    """Writes the mixture minus the stems, so that the stems and this file add up to the mixture."""
    from stemdock import staging  # noqa: PLC0415

    with staging(remainder.parent) as hidden:
        part = hidden / remainder.name
        _write_difference(mixture, stems, part)
        move_all_to_place({part: remainder}, durable=True)


def _write_difference(mixture: Path, stems: Iterable[Path], remainder: Path) -> None:
    from stemdock import AudioWriter, open_audio  # noqa: PLC0415

    with ExitStack() as files:
        source = files.enter_context(open_audio(mixture))
        parts = [files.enter_context(open_audio(path)) for path in stems]
        target = files.enter_context(
            AudioWriter(
                remainder,
                sample_rate=source.sample_rate,
                n_channels=parts[0].n_channels,
                total_length=source.total_length,
            )
        )
        # Files of equal length are read in equal blocks; a mono mixture counts for both channels.
        for block, *taken in zip(source.blocks, *(part.blocks for part in parts), strict=True):
            target.write(reduce(sub, taken, block))

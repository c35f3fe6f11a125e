"""Separating one request into WAV files and a project that points to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock.errors import StemdockError
from stemdock_audacity.errors import HOST
from stemdock_audacity.legacy import StemTrack, write_project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from threading import Event

    from stemdock.separator import Separator
    from stemdock.types import FloatArray, Progress
    from stemdock_audacity.request import CapturedTrack, Request

_BLOCK_LENGTH = 1 << 16


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
        separator: With the request's model.
        request: What to do.
        folder: Holds the captured `track-N.wav`; gets `N/<stem>.wav` and `stems.aup`.
        on_progress: Called with the share that is done.
        cancel: Set it to stop at the next segment.

    Returns:
        The new tracks, those of one source together.

    Raises:
        StemdockError: The model has no such stem; audio cannot be read, separated or written.
        CancelledError: `cancel` was set.
    """
    unknown = set(request.stems) - set(separator.card.stems)
    if unknown:
        raise StemdockError(
            f"the model {separator.card.name} has no stem {', '.join(sorted(unknown))}",
            remedy=f"It has {', '.join(separator.card.stems)}.",
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
    # The engine is imported by those only who separate.
    from stemdock.files import separate_file  # noqa: PLC0415

    mixture = folder / f"track-{track.index + 1}.wav"
    _cut(mixture, track)
    target = folder / str(track.index + 1)
    made = separate_file(
        separator, mixture, target, bit_depth="32f", overwrite=True, on_progress=on_progress, cancel=cancel
    )
    stems = {stem: path for stem, path in made.stems.items() if stem in (request.stems or made.stems)}
    if request.remainder:
        name = f"everything but {request.stems[0]}" if len(request.stems) == 1 else "everything else"
        remainder = target / "remainder.wav"
        _subtract(mixture, stems, remainder)
        stems[name] = remainder
    for path in set(made.stems.values()) - set(stems.values()):
        path.unlink()
    mixture.unlink()
    return [
        StemTrack(
            name=f"{track.name} \N{EN DASH} {stem}",
            audio=path.absolute(),
            sample_rate=track.sample_rate,
            n_channels=made.card.n_channels,
            length=made.total_length,
            start=track.start,
        )
        for stem, path in stems.items()
    ]


def _cut(mixture: Path, track: CapturedTrack) -> None:
    """Leaves of a captured file what belongs to the track's audio.

    Raises:
        StemdockError: The file is not as long as the capture should be.
    """
    import soundfile  # noqa: PLC0415

    found = soundfile.info(mixture).frames
    if found != track.length:
        raise StemdockError(
            f"{HOST}: {found} samples of {track.name!r} arrived instead of {track.length}",
            remedy="Check the free disk space and try again.",
        )
    if track.separable_length == track.length:
        return
    part = mixture.with_suffix(".part")
    with soundfile.SoundFile(mixture) as source:
        source.seek(track.first_sample - track.start_sample)
        with soundfile.SoundFile(
            part, "w", source.samplerate, source.channels, subtype="FLOAT", format="WAV"
        ) as target:
            _copy(source, target, track.separable_length)
    part.replace(mixture)


def _copy(source: object, target: object, length: int) -> None:
    while length > 0:
        block = source.read(min(_BLOCK_LENGTH, length), dtype="float32", always_2d=True)  # type: ignore[attr-defined]
        target.write(block)  # type: ignore[attr-defined]
        length -= len(block)


def _subtract(mixture: Path, stems: Mapping[str, Path], remainder: Path) -> None:
    """Writes what the stems leave of the mixture, sample by sample, so that all add up to it."""
    from contextlib import ExitStack  # noqa: PLC0415

    import numpy as np  # noqa: PLC0415
    import soundfile  # noqa: PLC0415

    with ExitStack() as files:
        source = files.enter_context(soundfile.SoundFile(mixture))
        parts = [files.enter_context(soundfile.SoundFile(path)) for path in stems.values()]
        n_channels = parts[0].channels
        target = files.enter_context(
            soundfile.SoundFile(remainder, "w", source.samplerate, n_channels, subtype="FLOAT", format="WAV")
        )
        while True:
            block = source.read(_BLOCK_LENGTH, dtype="float32", always_2d=True)
            if not len(block):
                return
            rest: FloatArray = np.repeat(block, n_channels // block.shape[1], axis=1)
            for part in parts:
                rest -= part.read(len(rest), dtype="float32", always_2d=True)
            target.write(rest)

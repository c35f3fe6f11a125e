"""From the results of the worker to the tracks that are imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import AudacityTrack, StemdockError, printable
from stemdock_audacity.errors import HOST, SeparationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock_audacity.capture.request import CapturedTrack, Request
    from stemdock_hostkit.job.states import JobResult, SourceResult


def stem_tracks(request: Request, result: JobResult) -> tuple[AudacityTrack, ...]:
    """The new tracks, grouped by source track.

    Args:
        request: What was requested.
        result: What the worker made of it.

    Raises:
        SeparationError: A track could not be separated.
        StemdockError: Audacity did not write all of a track.
    """
    for fault in result.faults:
        raise SeparationError(fault)
    made = {source.id: source for source in result.sources}
    return tuple(stem for track in request.tracks for stem in _stems(track, made[str(track.index)]))


def _stems(track: CapturedTrack, source: SourceResult) -> Iterator[AudacityTrack]:
    if source.length != track.separable_length:
        raise StemdockError(
            f"{HOST}: Audacity exported {source.length} of {track.separable_length} samples of {track.name}",
            remedy="Check the free disk space and try again.",
        )
    for stem in source.stems:
        yield AudacityTrack(
            # The stem comes first, because Audacity shows only the start of a long name. XML allows no
            # control characters, and Audacity must find the name as it was written.
            name=printable(f"{stem.name} \N{EN DASH} {track.name}"),
            audio=stem.path.absolute().as_posix(),
            sample_rate=track.sample_rate,
            n_channels=source.n_channels,
            length=source.length,
            start=track.start,
        )

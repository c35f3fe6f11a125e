"""Bringing stems into the open project, in one undo step or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock_audacity.errors import CommandFailedError, DeliveryError, OtherProjectError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock_audacity.legacy import StemTrack
    from stemdock_audacity.pipe import Pipe
    from stemdock_audacity.protocol import TrackInfo
    from stemdock_audacity.request import CapturedTrack, Request

_TOLERANCE: Final = 1e-5
"""Relative, of times: Audacity tells six significant digits."""


class Delivery:
    """The stems of one request on their way."""

    def __init__(
        self, request: Request, stems: Sequence[StemTrack], project: Path, known: frozenset[str] | None
    ) -> None:
        """Describes it.

        Args:
            request: What was asked for.
            stems: The new tracks.
            project: The .aup that holds them.
            known: Names of the tracks when the request was made, by which its project is known
                again; None if they could not be asked for.
        """
        self._request = request
        self._stems = stems
        self._project = project
        self._known = known
        self._is_sent = False

    def attempt(self, pipe: Pipe) -> str:
        """Imports the stems below the tracks that are there.

        May be tried again with a new connection after a `HostUnreachableError`.

        Returns:
            What the person should know besides, or "".

        Raises:
            OtherProjectError: Another project is in front.
            DeliveryError: The project is as it was, and the stems lie on disk.
            HostUnreachableError: Audacity ended or does not answer.
        """
        before = pipe.tracks()
        if self._is_sent and _difference((), before[len(before) - len(self._stems) :], self._stems) == "":
            return ""  # the last attempt did it, and only its answer was late
        names = {info.name for info in before}
        if names and self._known and not names & self._known:
            raise OtherProjectError(self._project)
        places = [_find(before, track) for track in self._request.tracks]
        muted = [place for place in places if place is not None] if self._request.mute_original else []
        # Muting has no undo step of its own: it becomes part of the import's.
        _set_mute(pipe, before, muted, mute=True)
        self._is_sent = True
        try:
            pipe.do("Import2", Filename=self._project.as_posix())
            difference = _difference(before, pipe.tracks(), self._stems)
        except CommandFailedError as error:
            difference = str(error)
        if difference:
            self._take_back(pipe, before, muted)
            reason = f"Audacity could not import the stems ({difference})"
            raise DeliveryError(reason, self._project)
        if self._request.mute_original and len(muted) < len(places):
            return "the original is gone or was renamed, so it was not muted"
        return ""

    def _take_back(self, pipe: Pipe, before: Sequence[TrackInfo], muted: Sequence[int]) -> None:
        if len(pipe.tracks()) != len(before):
            pipe.run("Undo")
        _set_mute(pipe, before, [place for place in muted if not before[place].mute], mute=False)
        self._is_sent = False


def _find(tracks: Sequence[TrackInfo], source: CapturedTrack) -> int | None:
    """Place of the source track now; None if it is gone or cannot be told from others."""
    if source.index < len(tracks) and tracks[source.index].name == source.name:
        return source.index
    places = [n for n, info in enumerate(tracks) if info.name == source.name and info.kind == "wave"]
    return places[0] if len(places) == 1 else None


def _set_mute(pipe: Pipe, tracks: Sequence[TrackInfo], places: Sequence[int], *, mute: bool) -> None:
    """Mutes or unmutes tracks; the command works on those that are selected."""
    if not places:
        return
    _select(pipe, tracks, places)
    pipe.do("SetTrackAudio", Mute=int(mute))
    _select(pipe, tracks, [place for place, info in enumerate(tracks) if info.selected])


def _select(pipe: Pipe, tracks: Sequence[TrackInfo], places: Sequence[int]) -> None:
    pipe.do("SelectTracks", Track=0, TrackCount=len(tracks), Mode="Remove")
    for place in places:
        pipe.do("SelectTracks", Track=place, TrackCount=1, Mode="Add")


def _difference(before: Sequence[TrackInfo], after: Sequence[TrackInfo], stems: Sequence[StemTrack]) -> str:
    """How what came after differs from what should have come; "" if it does not."""
    if len(after) != len(before) + len(stems):
        return f"{len(after) - len(before)} of {len(stems)} tracks arrived"
    for found, wanted in zip(after[len(before) :], stems, strict=True):
        end = wanted.start + wanted.length / wanted.sample_rate
        if found.name != wanted.name or abs(found.end - end) > _TOLERANCE * max(1.0, end):
            return f"{found.name} arrived instead of {wanted.name}"
    return ""

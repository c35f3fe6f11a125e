"""Imports stems into the open project: all in one undo step, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock_audacity.errors import CommandFailedError, DeliveryError, OtherProjectError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock import AudacityTrack
    from stemdock_audacity.capture.request import CapturedTrack, Request
    from stemdock_audacity.link.pipe import Pipe
    from stemdock_audacity.link.protocol import TrackInfo

_TOLERANCE: Final = 1e-5
"""Relative tolerance of times: Audacity reports six significant digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What an import did."""

    below: str
    """Name of the track below which the new ones are, or ""."""
    note: str = ""
    """For the user, or ""."""


class Delivery:
    """The import of one request's stems."""

    def __init__(
        self, request: Request, stems: Sequence[AudacityTrack], project: Path, known: frozenset[str] | None
    ) -> None:
        """Prepares the import.

        Args:
            request: The request.
            stems: The new tracks.
            project: The .aup project that holds them.
            known: Track names in the project when the separation started, to recognise the project;
                None if they could not be read.
        """
        self._request = request
        self._stems = stems
        self._project = project
        self._known = known
        self._is_sent = False

    def attempt(self, pipe: Pipe) -> Placed:
        """Imports the stems below the existing tracks.

        After a `HostUnreachableError`, call it again with a new connection.

        Raises:
            OtherProjectError: Another project is in front.
            DeliveryError: The import failed; the project is unchanged and the stems are on disk.
            HostUnreachableError: Audacity closed or does not answer.
        """
        before = pipe.tracks()
        if self._is_sent and _difference((), before[len(before) - len(self._stems) :], self._stems) == "":
            # The previous attempt succeeded; only its answer was late.
            return _placed(before[: len(before) - len(self._stems)])
        names = {info.name for info in before}
        if names and self._known and not names & self._known:
            raise OtherProjectError(self._project)
        places = [_find(before, track) for track in self._request.tracks]
        muted = [place for place in places if place is not None] if self._request.mute_original else []
        # Muting has no undo step of its own: it becomes part of the import's step.
        _set_mute(pipe, before, muted, mute=True)
        self._is_sent = True
        try:
            pipe.do("Import2", Filename=self._project.as_posix())
            after = pipe.tracks()
            difference = _difference(before, after, self._stems)
        except CommandFailedError as error:
            difference = str(error)
        if difference:
            self._take_back(pipe, before, muted)
            reason = f"Audacity could not import the stems ({difference})"
            raise DeliveryError(reason, self._project)
        _return_focus(pipe, before, after)
        if self._request.mute_original and len(muted) < len(places):
            return _placed(before, "the original track was deleted or renamed, so it was not muted")
        return _placed(before)

    def _take_back(self, pipe: Pipe, before: Sequence[TrackInfo], muted: Sequence[int]) -> None:
        if len(pipe.tracks()) != len(before):
            pipe.run("Undo")
        _set_mute(pipe, before, [place for place in muted if not before[place].mute], mute=False)
        self._is_sent = False


def _find(tracks: Sequence[TrackInfo], source: CapturedTrack) -> int | None:
    """Current place of the source track; None if it was deleted or its name is ambiguous."""
    if source.index < len(tracks) and tracks[source.index].name == source.name:
        return source.index
    places = [n for n, info in enumerate(tracks) if info.name == source.name and info.kind == "wave"]
    return places[0] if len(places) == 1 else None


def _placed(before: Sequence[TrackInfo], note: str = "") -> Placed:
    return Placed(below=before[-1].name if before else "", note=note)


def _set_mute(pipe: Pipe, tracks: Sequence[TrackInfo], places: Sequence[int], *, mute: bool) -> None:
    """Mutes or unmutes tracks, by selecting them for a moment."""
    if not places:
        return
    selected = [place for place, info in enumerate(tracks) if info.selected]
    _select(pipe, selected, places)
    # MuteTracks, which would show no window for a moment, changes the step before the import's.
    pipe.do("SetTrackAudio", Mute=int(mute))
    _select(pipe, places, selected)


def _select(pipe: Pipe, present: Sequence[int], wanted: Sequence[int]) -> None:
    """Changes the selection of tracks, with as few commands as possible, since each shows a window."""
    for mode, places in (("Remove", {*present} - {*wanted}), ("Add", {*wanted} - {*present})):
        for place in sorted(places):
            pipe.do("SelectTracks", Track=place, TrackCount=1, Mode=mode)


def _return_focus(pipe: Pipe, before: Sequence[TrackInfo], after: Sequence[TrackInfo]) -> None:
    """Shows the part of the project again that was shown.

    Since 3.7, an import gives the last new track the focus and scrolls to it.
    """
    former = next((place for place, info in enumerate(before) if info.focused), None)
    present = next((place for place, info in enumerate(after) if info.focused), None)
    if former is None or present is None:
        return
    for _ in range(present - former):
        pipe.run("PrevTrack")


def _difference(
    before: Sequence[TrackInfo], after: Sequence[TrackInfo], stems: Sequence[AudacityTrack]
) -> str:
    """How the new tracks differ from the stems; "" if they match."""
    if len(after) != len(before) + len(stems):
        return f"{len(after) - len(before)} of {len(stems)} tracks were imported"
    for found, wanted in zip(after[len(before) :], stems, strict=True):
        end = wanted.start + wanted.length / wanted.sample_rate
        if found.name != wanted.name or abs(found.end - end) > _TOLERANCE * max(1.0, end):
            return f"{found.name} was imported instead of {wanted.name}"
    return ""

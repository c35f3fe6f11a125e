"""What one click asks for: the notes that the Nyquist code leaves, read into values."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from stemdock import parse_json
from stemdock_audacity.errors import ReplyError
from stemdock_audacity.nyquist_text import ALL_STEMS

if TYPE_CHECKING:
    from pathlib import Path


_LATEST: Final = 1 << 53
"""Samples from the start of a project that floating point still counts one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedTrack:
    """The selected part of one track."""

    index: int
    """Place in the project from the top, 0 for the first."""
    name: str
    sample_rate: int
    """Hz, the track's own."""
    n_channels: int
    start_sample: int
    """First sample captured, on the track's own grid from the project's start."""
    length: int
    """Samples captured."""
    audio_start: int
    """First sample of the track's audio, on the same grid."""
    audio_end: int
    """One past its last."""

    @property
    def first_sample(self) -> int:
        """First captured sample that belongs to the track's audio."""
        return max(self.start_sample, self.audio_start)

    @property
    def separable_length(self) -> int:
        """Captured samples from there that do; 0 if the selection misses the track's audio."""
        return max(0, min(self.start_sample + self.length, self.audio_end) - self.first_sample)

    @property
    def start(self) -> float:
        """Seconds in the project at which the stems begin."""
        return self.first_sample / self.sample_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to separate, and into what."""

    model: str
    stems: tuple[str, ...]
    """Chosen stems; empty for all."""
    remainder: bool
    """Whether what the chosen stems leave becomes a track, too."""
    mute_original: bool
    tracks: tuple[CapturedTrack, ...]
    project_rate: float
    """Hz."""

    @property
    def title(self) -> str:
        """What people recognise it by."""
        return ", ".join(track.name for track in self.tracks)


def nearest_sample(seconds: float, sample_rate: float) -> int:
    """The sample at a time, rounded as Audacity does.

    Raises:
        ValueError: There is no such time.
    """
    if not abs(seconds * sample_rate) < _LATEST:
        raise ValueError(f"{seconds} s at {sample_rate} Hz")
    return math.floor(seconds * sample_rate + 0.5)


def _rate(text: str) -> float:
    rate = float(text)
    if not 1 <= rate < _LATEST:
        raise ValueError(f"{text} Hz")
    return rate


def parse_notes(text: str) -> list[tuple[str, str]]:
    """Reads lines of a key, a blank and a value; the value may be empty and hold blanks."""
    pairs = [line.partition(" ") for line in text.split("\n") if line]
    return [(key, value) for key, _, value in pairs]


def parse_track(text: str) -> CapturedTrack:
    """Reads the notes on one track.

    Raises:
        ReplyError: Something is missing or no number.
    """
    notes = dict(parse_notes(text))
    try:
        sample_rate = _rate(notes["rate"])
        return CapturedTrack(
            index=int(notes["index"]) - 1,
            name=notes["name"],
            sample_rate=round(sample_rate),
            n_channels=int(notes["channels"]),
            start_sample=nearest_sample(float(notes["selection-start"]), sample_rate),
            length=int(notes["length"]),
            audio_start=nearest_sample(float(notes["track-start"]), sample_rate),
            audio_end=nearest_sample(float(notes["track-end"]), sample_rate),
        )
    except (KeyError, ValueError) as error:
        raise ReplyError(f"unusable notes on a track ({error})", text) from error


def read_request(inbox: Path) -> Request:
    """Reads what the plug-in left in its folder.

    Raises:
        ReplyError: It is incomplete.
        OSError: A file is missing.
    """
    text = _read(inbox / "request.txt")
    pairs = parse_notes(text)
    notes = dict(pairs)
    try:
        tracks = [
            parse_track(_read(inbox / f"track-{int(index)}.txt")) for key, index in pairs if key == "track"
        ]
        return Request(
            model=notes.get("model", ""),
            stems=() if notes.get("stems", ALL_STEMS) == ALL_STEMS else (notes["stems"],),
            remainder=notes.get("rest") == "1",
            mute_original=notes.get("mute") == "1",
            tracks=tuple(track for track in tracks if track.separable_length),
            project_rate=_rate(notes["project-rate"]),
        )
    except (KeyError, ValueError) as error:
        raise ReplyError(f"an unusable request ({error})", text) from error


def request_to_json(request: Request) -> str:
    """The request for a file."""
    return json.dumps(asdict(request), ensure_ascii=False)


def request_from_json(text: str | bytes) -> Request:
    """The request in such a file.

    Raises:
        ReplyError: It is damaged.
    """
    try:
        values: dict[str, Any] = parse_json(text)
        tracks = tuple(CapturedTrack(**track) for track in values["tracks"])
        return Request(**{**values, "stems": tuple(values["stems"]), "tracks": tracks})
    except (ValueError, TypeError, LookupError) as error:
        raise ReplyError(f"a request that is damaged ({error})", str(text)) from error


def _read(path: Path) -> str:
    return path.read_text("utf-8", errors="replace")

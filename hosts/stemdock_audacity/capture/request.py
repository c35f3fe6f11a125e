"""A request: reads the notes that the Nyquist code writes about the selection."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock_audacity.errors import ReplyError
from stemdock_audacity.nyquist.texts import ALL_STEMS

if TYPE_CHECKING:
    from pathlib import Path


_LATEST: Final = 1 << 53
"""Largest sample number that floating point represents exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedTrack:
    """The selected part of one track."""

    index: int
    """Place in the project from the top, from 0."""
    name: str
    sample_rate: int
    """Hz, of the track."""
    n_channels: int
    start_sample: int
    """First captured sample, counted from the project's start at the track's sample rate."""
    length: int
    """Captured samples."""
    audio_start: int
    """First sample of the track's audio, counted in the same way."""
    audio_end: int
    """One past the last sample of the track's audio."""

    def __post_init__(self) -> None:
        """Checks the ranges.

        Raises:
            ValueError: A number is out of its range.
        """
        if not (self.index >= 0 and self.n_channels > 0 and self.length >= 0 and self.sample_rate > 0):
            raise ValueError(f"a number of the track {self.name!r} is out of range")
        if max(map(abs, (self.start_sample, self.length, self.audio_start, self.audio_end))) >= _LATEST:
            raise ValueError(f"a position of the track {self.name!r} is out of range")

    @property
    def first_sample(self) -> int:
        """First captured sample that belongs to the track's audio."""
        return max(self.start_sample, self.audio_start)

    @property
    def separable_length(self) -> int:
        """Captured samples of the track's audio; 0 if the selection misses it."""
        return max(0, min(self.start_sample + self.length, self.audio_end) - self.first_sample)

    @property
    def start(self) -> float:
        """Seconds in the project at which the stems begin."""
        return self.first_sample / self.sample_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to separate, and which tracks to make."""

    model: str
    stems: tuple[str, ...]
    """Stems to import; empty for all."""
    remainder: bool
    """Whether everything else becomes one more track."""
    mute_original: bool
    tracks: tuple[CapturedTrack, ...]
    project_rate: float
    """Hz."""
    audacity_version: tuple[int, ...] = ()
    """Such as (3, 7, 3); empty if unknown."""

    def __post_init__(self) -> None:
        """Checks the range of the rate.

        Raises:
            ValueError: It is no sample rate.
        """
        if not 1 <= self.project_rate < _LATEST:
            raise ValueError(f"{self.project_rate} Hz")

    @property
    def remainder_name(self) -> str:
        """Name of the track with everything else; "" if there is none."""
        if not (self.remainder and self.stems):
            return ""
        return f"everything but {self.stems[0]}" if len(self.stems) == 1 else "everything else"

    @property
    def remainder_note(self) -> str:
        """What the user must know about the track with everything else, or ""."""
        is_missing = self.remainder and not self.stems
        return "with all stems there is nothing else, so no further track was made" if is_missing else ""


def nearest_sample(seconds: float, sample_rate: float) -> int:
    """The sample nearest to a time, rounded as Audacity does.

    Raises:
        ValueError: The time is not finite or too large.
    """
    if not abs(seconds * sample_rate) < _LATEST:
        raise ValueError(f"{seconds} s at {sample_rate} Hz")
    return math.floor(seconds * sample_rate + 0.5)


def _rate(text: str) -> float:
    rate = float(text)
    if not 1 <= rate < _LATEST:
        raise ValueError(f"{text} Hz")
    return rate


def _version(text: str) -> tuple[int, ...]:
    """Reads a version as Nyquist writes it, such as "(3 7 3)"."""
    return tuple(int(part) for part in re.findall(r"\b\d{1,4}\b", text, re.ASCII))


def parse_notes(text: str) -> list[tuple[str, str]]:
    """Reads lines of a key, a blank and a value, which may be empty or contain blanks."""
    pairs = [line.partition(" ") for line in text.split("\n") if line]
    return [(key, value) for key, _, value in pairs]


def parse_track(text: str) -> CapturedTrack:
    """Reads the notes about one track.

    Raises:
        ReplyError: A value is missing or is not a number.
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
        raise ReplyError(f"the notes about a track are invalid ({error})", text) from error


def read_request(inbox: Path) -> Request:
    """Reads the request that the plug-in wrote.

    Raises:
        ReplyError: The request is incomplete or invalid.
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
            audacity_version=_version(notes.get("audacity", "")),
        )
    except (KeyError, ValueError) as error:
        raise ReplyError(f"the request from Audacity is invalid ({error})", text) from error


def _read(path: Path) -> str:
    return path.read_text("utf-8", errors="replace")

"""What a file says about the song in it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """A picture in a song's tags."""

    mime_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What a file says about the song in it; empty where it says nothing."""

    title: str = ""
    artist: str = ""
    album: str = ""
    tracknumber: str = ""
    date: str = ""
    genre: str = ""
    comment: str = ""
    cover: Cover | None = None

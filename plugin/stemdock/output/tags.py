"""Tags of a song."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """The cover picture in a song's tags."""

    mime_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """Title, artist and so on; empty where a tag is missing."""

    title: str = ""
    artist: str = ""
    album: str = ""
    tracknumber: str = ""
    date: str = ""
    genre: str = ""
    comment: str = ""
    cover: Cover | None = None

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

    @property
    def year(self) -> str:
        """The four digits that a date begins with; empty if it does not."""
        year = self.date[:4]
        return year if year.isascii() and year.isdigit() else ""

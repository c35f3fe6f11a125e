"""Playlists in m3u and m3u8: the text, without looking for the files."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import Final

SUFFIXES: Final = frozenset({".m3u", ".m3u8"})
"""What a playlist's name ends in, in lower case."""

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
"""Not str.splitlines: a name in Latin-1 may hold bytes that Unicode calls line ends."""
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def playlist_entries(data: bytes) -> list[str]:
    """The entries of a playlist, in order, as they stand there.

    Args:
        data: The file. UTF-8 or UTF-16 if a byte order mark says so; otherwise UTF-8 if it can be that,
            and else Latin-1, in which players of old wrote m3u.
    """
    lines = (line.strip(" \t") for line in _LINE_END.split(_decoded(data)))
    return [line for line in lines if line and not line.startswith("#")]


def is_address(entry: str) -> bool:
    """Whether an entry is an address (`http://…`, `file://…`) rather than a path."""
    return _ADDRESS.match(entry) is not None


def _decoded(data: bytes) -> str:
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")

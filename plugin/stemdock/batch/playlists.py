"""Reading the entries of m3u and m3u8 playlists, without looking for the files."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import Final

SUFFIXES: Final = frozenset({".m3u", ".m3u8"})
"""File name extensions of playlists, in lower case."""

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
"""Not str.splitlines: a name in Latin-1 can contain bytes that Unicode counts as line ends."""


def playlist_entries(data: bytes) -> list[str]:
    """The entries of a playlist in order, unchanged.

    Args:
        data: The file. UTF-8 or UTF-16 if it has a byte order mark; otherwise UTF-8 if it is valid, and
            else Latin-1, the encoding of old m3u files.
    """
    lines = (line.strip(" \t") for line in _LINE_END.split(_decoded(data)))
    return [line for line in lines if line and not line.startswith("#")]


def _decoded(data: bytes) -> str:
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")

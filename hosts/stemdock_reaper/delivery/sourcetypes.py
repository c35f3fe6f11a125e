"""REAPER's names for the formats of media files.

A project file names the reader for each file: `<SOURCE VORBIS`. REAPER does not try another reader, and a
suffix does not always say the format: `.ogg` is used for Vorbis and for Opus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock_reaper.errors import ProjectFileError

if TYPE_CHECKING:
    from pathlib import Path

_STARTS: Final = (
    (b"RIFF", "WAVE"),
    (b"RF64", "WAVE"),
    (b"BW64", "WAVE"),
    (b"riff", "WAVE"),
    (b"FORM", "AIFF"),
    (b"fLaC", "FLAC"),
    (b"wvpk", "WAVPACK"),
    (b"ID3", "MP3"),
)
_OGG_CODECS: Final = ((b"OpusHead", "OPUS"), (b"\x01vorbis", "VORBIS"))
_BY_SUFFIX: Final = {".mp3": "MP3", ".wav": "WAVE"}
"""Formats without a mark at the start of the file."""

_HEAD_SIZE: Final = 4096
"""Bytes. The first page of an Ogg file names its codec."""


def source_type(path: Path) -> str:
    """REAPER's name for the format of a media file: "WAVE", "OPUS" and so on.

    REAPER reads all formats that it has no reader of its own for, such as m4a, as "VIDEO".

    Raises:
        ProjectFileError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_SIZE)
    except OSError as error:
        raise ProjectFileError(
            path, f"cannot be read ({error.strerror})", remedy="Check the path and its permissions."
        ) from error
    if head.startswith(b"OggS"):
        return next((name for mark, name in _OGG_CODECS if mark in head), "VIDEO")
    for mark, name in _STARTS:
        if head.startswith(mark):
            return name
    return _BY_SUFFIX.get(path.suffix.lower(), "VIDEO")

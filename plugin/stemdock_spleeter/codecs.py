"""Spleeter's enumerations."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from stemdock_spleeter.errors import UncaughtError


class Codec(StrEnum):
    """Formats of written files."""

    WAV = "wav"
    MP3 = "mp3"
    OGG = "ogg"
    M4A = "m4a"
    WMA = "wma"
    FLAC = "flac"


class STFTBackend(StrEnum):
    """What computes the STFT in Spleeter before version 2.4. Stemdock has one way and ignores the choice."""

    AUTO = "auto"
    TENSORFLOW = "tensorflow"
    LIBROSA = "librosa"


ENCODERS: Final = {
    Codec.WAV: "pcm_s16le",
    Codec.MP3: "libmp3lame",
    Codec.OGG: "libvorbis",
    Codec.M4A: "aac",
    Codec.WMA: "wmav2",
    Codec.FLAC: "flac",
}
"""ffmpeg's encoders."""
CONTAINERS: Final = {
    Codec.WAV: "wav",
    Codec.MP3: "mp3",
    Codec.OGG: "ogg",
    Codec.M4A: "ipod",
    Codec.WMA: "asf",
    Codec.FLAC: "flac",
}
"""ffmpeg's containers."""


def codec_named(name: str | None) -> Codec:
    """The codec of a name; wav if there is none.

    Raises:
        UncaughtError: There is no such codec.
    """
    try:
        return Codec(name or Codec.WAV)
    except ValueError:
        raise UncaughtError(f"unknown codec {name!r}", remedy=f"Use one of {', '.join(Codec)}.") from None

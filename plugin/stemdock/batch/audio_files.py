"""Recognising audio files by name or by their first bytes, and films by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock.lib.paths import is_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AUDIO_SUFFIXES: Final = frozenset({
    ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".alac", ".amr", ".ape", ".au", ".caf", ".dff", ".dsf", ".dts",
    ".dtshd", ".eac3", ".ec3", ".flac", ".m4a", ".m4b", ".m4r", ".mka", ".mlp", ".mp1", ".mp2", ".mp3",
    ".mpc", ".mpga", ".oga", ".ogg", ".opus", ".ra", ".rf64", ".shn", ".snd", ".spx", ".tak", ".thd", ".tta",
    ".w64", ".wav", ".wave", ".weba", ".wma", ".wv",
})  # fmt: skip
"""File name extensions of audio, in lower case."""
FILM_SUFFIXES: Final = frozenset({
    ".3g2", ".3gp", ".asf", ".avi", ".divx", ".f4v", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg",
    ".mpg", ".mts", ".mxf", ".ogv", ".rm", ".rmvb", ".ts", ".vob", ".webm", ".wmv",
})  # fmt: skip
"""File name extensions of films, in lower case."""
_STARTS: Final = (
    b"fLaC", b"OggS", b"ID3", b"caff", b".snd", b"wvpk", b"MAC ", b"DSD ", b"FRM8", b"tBaK", b"TTA1", b"ajkg",
    b"MPCK", b"MP+", b"#!AMR", b"DTSHDHDR", b"\x7f\xfe\x80\x01", b"\x0b\x77", b"riff\x2e\x91\xcf\x11",
)  # fmt: skip
"""First bytes of formats that hold nothing but audio. Those without letters are DTS, and AC-3 and E-AC3."""
_CONTAINERS: Final = {b"RIFF": (b"WAVE",), b"RF64": (b"WAVE",), b"FORM": (b"AIFF", b"AIFC")}
"""First bytes of formats that also hold other data, and the types, at byte 8, that are audio."""


def is_audio_file(path: Path) -> bool:
    """Whether a file has an audio extension or begins like an audio file."""
    if path.suffix.lower() in AUDIO_SUFFIXES:
        return is_file(path)
    try:
        # Opening a pipe or a device could block.
        if not is_file(path):
            return False
        with path.open("rb") as file:
            start = file.read(12)
    except OSError:
        return False
    return start.startswith(_STARTS) or start[8:12] in _CONTAINERS.get(start[:4], ())


def is_film_file(path: Path) -> bool:
    """Whether a file has the extension of a film; its first bytes can also be those of audio."""
    return path.suffix.lower() in FILM_SUFFIXES and is_file(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What is looked for in folders."""

    title: str
    """For people: `no <title> matches this pattern`."""
    plural: str
    suffixes: frozenset[str]
    has: Callable[[Path], bool]
    """Whether a file is one."""


SONGS: Final = Kind(title="audio file", plural="songs", suffixes=AUDIO_SUFFIXES, has=is_audio_file)
FILMS: Final = Kind(title="film", plural="films", suffixes=FILM_SUFFIXES, has=is_film_file)

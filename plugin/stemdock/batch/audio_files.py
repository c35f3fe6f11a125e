"""Recognising audio files by name or by their first bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock.lib.paths import is_file

if TYPE_CHECKING:
    from pathlib import Path

AUDIO_SUFFIXES: Final = frozenset({
    ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".alac", ".ape", ".au", ".caf", ".dff", ".dsf", ".dts",
    ".eac3", ".ec3", ".flac", ".m4a", ".m4b", ".mka", ".mp2", ".mp3", ".mpc", ".oga", ".ogg", ".opus",
    ".rf64", ".snd", ".spx", ".tak", ".tta", ".w64", ".wav", ".wave", ".wma", ".wv",
})  # fmt: skip
"""File name extensions of audio, in lower case."""
_STARTS: Final = (b"fLaC", b"OggS", b"ID3", b"caff", b".snd", b"wvPk", b"MAC ", b"DSD ", b"tBaK")
"""First bytes of formats that hold nothing but audio."""
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

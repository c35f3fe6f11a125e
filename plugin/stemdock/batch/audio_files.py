"""Recognising audio files by name or by their first bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock.lib.paths import is_file

if TYPE_CHECKING:
    from pathlib import Path

AUDIO_SUFFIXES: Final = frozenset({
    ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".alac", ".amr", ".ape", ".au", ".caf", ".dff", ".dsf", ".dts",
    ".dtshd", ".eac3", ".ec3", ".flac", ".m4a", ".m4b", ".m4r", ".mka", ".mlp", ".mp1", ".mp2", ".mp3",
    ".mpc", ".mpga", ".oga", ".ogg", ".opus", ".ra", ".rf64", ".shn", ".snd", ".spx", ".tak", ".thd", ".tta",
    ".w64", ".wav", ".wave", ".weba", ".wma", ".wv",
})  # fmt: skip
"""File name extensions of audio, in lower case."""
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

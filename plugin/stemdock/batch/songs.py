"""A song to separate, as the user named it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Final

from stemdock.errors import AudioFileError

STANDARD_INPUT: Final = "-"
"""The path that stands for standard input on the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """One mixture to separate, or an input that cannot be used."""

    path: Path
    folder: PurePath = field(default_factory=PurePath)
    """Subfolder of the output folder for its stems: the same as in the folder that was searched."""
    fault: AudioFileError | None = None
    """Why the input cannot be used; None if it can."""

    @property
    def is_standard_input(self) -> bool:
        """Whether the audio comes from standard input."""
        return str(self.path) == STANDARD_INPUT


def faulty_song(path: Path, reason: str, remedy: str) -> Song:
    """A song that fails with this message when its turn comes."""
    return Song(path=path, fault=AudioFileError(path, reason, remedy=remedy))

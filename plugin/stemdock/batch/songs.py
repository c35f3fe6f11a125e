"""A song to separate, as the user named it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from stemdock.errors import AudioFileError
from stemdock.lib.locations import Location

if TYPE_CHECKING:
    from stemdock.lib.locations import Place

STANDARD_INPUT: Final = "-"
"""The path that stands for standard input on the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """One mixture to separate, or an input that cannot be used."""

    path: Place
    folder: PurePath = field(default_factory=PurePath)
    """Subfolder of the output folder for its stems: the same as in the folder that was searched."""
    name: str = ""
    """Takes the place of its file name, without an extension, in the names of its stems; empty for none."""
    fault: AudioFileError | None = None
    """Why the input cannot be used; None if it can."""

    @property
    def is_standard_input(self) -> bool:
        """Whether the audio comes from standard input."""
        return str(self.path) == STANDARD_INPUT

    @property
    def naming_path(self) -> Path:
        """The path that the names of its stems are made from."""
        return Path(self.path.path) if isinstance(self.path, Location) else self.path


def faulty_song(path: Place, reason: str, remedy: str) -> Song:
    """A song that fails with this message when its turn comes."""
    return Song(path=path, fault=AudioFileError(path, reason, remedy=remedy))

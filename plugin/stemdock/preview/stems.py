"""Finding the stems of a song and reading their length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stemdock.audio import open_audio
from stemdock.batch.audio_files import AUDIO_SUFFIXES
from stemdock.errors import AudioFileError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """The audio file of a stem."""

    name: str
    """Name of the stem."""
    path: Path
    sample_rate: int
    """Hz."""
    total_length: int
    """Samples per channel."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.total_length / self.sample_rate


def find_stems(folder: Path) -> dict[str, Path]:
    """The audio files in a folder by the name of the stem, alphabetically.

    Raises:
        AudioFileError: The folder cannot be read or contains no audio files.
    """
    try:
        paths = sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".") and path.is_file()
        )
    except OSError as error:
        raise AudioFileError(
            folder,
            f"cannot be read as a folder ({error.strerror})",
            remedy="Name the folder with the stems of a song.",
        ) from error
    if not paths:
        raise AudioFileError(
            folder, "contains no audio files", remedy="Name the folder with the stems of a song."
        )
    stems = [path.stem for path in paths]
    return {path.stem if stems.count(path.stem) == 1 else path.name: path for path in paths}


def inspect_stem(name: str, path: Path) -> SourceFile:
    """Finds out the length of a stem; reads the whole file if the header does not contain it.

    Raises:
        AudioFileError: It cannot be read.
    """
    with open_audio(path) as audio:
        total_length = audio.total_length
        if total_length is None:
            total_length = sum(len(block) for block in audio.blocks)
        return SourceFile(name=name, path=path, sample_rate=audio.sample_rate, total_length=total_length)

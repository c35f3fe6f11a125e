"""Folders in the layout of MUSDB18-HQ: SUBSET/SONG/mixture.wav and SUBSET/SONG/STEM.wav."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock_training.data.songs import Song
from stemdock_training.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TRAINING: Final = "train"
VALIDATION: Final = ("valid", "test")
"""Subsets for validation; the first that exists counts."""
_MIXTURE: Final = "mixture.wav"
_REST: Final = "accompaniment"
"""A stem that, without a file of its own, is the sum of all files that the model does not name."""


def has_layout(folder: Path) -> bool:
    """Whether a folder has this layout."""
    return (folder / TRAINING).is_dir()


def read_folder(folder: Path, stems: Sequence[str]) -> tuple[list[Song], list[Problem]]:
    """Finds the songs of a subset, sorted by name.

    Args:
        folder: The subset, for example MUSDB/train.
        stems: The stems of the model.

    Returns:
        The songs, and what is wrong. Files of a song may be missing.
    """
    paths = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not paths:
        remedy = f"Put each song into a folder of its own, with {_MIXTURE} and a file for each stem."
        return [], [Problem(path=folder, reason="contains no folders of songs", remedy=remedy)]
    return [_song(path, stems) for path in paths], []


def _song(folder: Path, stems: Sequence[str]) -> Song:
    files: dict[str, tuple[Path, ...]] = {stem: (folder / f"{stem}.wav",) for stem in stems}
    if _REST in files and not files[_REST][0].exists():
        named = {_MIXTURE, *(f"{stem}.wav" for stem in stems)}
        rest = tuple(
            path for path in sorted(folder.glob("*.wav")) if path.name not in named and path.name[0] != "."
        )
        files[_REST] = rest or files[_REST]
    return Song(name=folder.name, mixture=folder / _MIXTURE, stems=files)

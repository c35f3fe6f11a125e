"""The files of a collection that contain sound."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock.batch.audio_files import is_audio_file
from support.other_peoples_files import decoded_by_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TEXT_LENGTH: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFile:
    """A file with sound, or with the name or the first bytes of one."""

    path: Path
    """The original."""
    copy: Path
    """A copy with a name of its own, to be separated."""
    expected_length: int
    """Samples per channel that ffmpeg decodes."""
    expected_rate: int
    """Hz of these; 0 if there are none."""
    is_found: bool
    """Whether the search of a folder finds it."""


def collected(folder: Path, copies: Path) -> Iterator[FieldFile]:
    """The files in a folder, at any depth.

    Args:
        folder: The collection.
        copies: An empty folder for the copies.
    """
    for number, path in enumerate(sorted(path for path in folder.rglob("*") if path.is_file())):
        is_found = is_audio_file(path)
        # ffmpeg takes some texts for sound, by their names.
        if not is_found and _is_text(path):
            continue
        length, rate = decoded_by_ffmpeg(path)
        if is_found or length:
            copy = copies / f"{number:05d} {path.name}"
            shutil.copyfile(path, copy)
            yield FieldFile(
                path=path, copy=copy, expected_length=length, expected_rate=rate, is_found=is_found
            )


def _is_text(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(_TEXT_LENGTH)
    return not any(byte < 9 for byte in start)

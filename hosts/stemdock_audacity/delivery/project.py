"""Writes the project that imports many tracks into Audacity in one undo step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from stemdock import audacity_project, make_folder, write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock import AudacityTrack

_SCALING: Final = (3, 7)
"""Since this version, a clip's start is scaled when its track gets its own rate instead of the project's."""


def write_project(
    path: Path, tracks: Sequence[AudacityTrack], project_rate: float, version: tuple[int, ...] = ()
) -> None:
    """Writes a project with these tracks, and the empty data folder that Audacity requires beside it.

    When this returns, both survive a power failure.

    Args:
        path: The .aup file.
        tracks: The tracks from the top.
        project_rate: Hz.
        version: Audacity's; empty if unknown.

    Raises:
        OSError: The project cannot be written.
    """
    data = path.with_name(f"{path.stem}_data")
    make_folder(data)
    if version >= _SCALING:
        tracks = [replace(track, start=track.start * track.sample_rate / project_rate) for track in tracks]
    write_atomically(path, audacity_project(tracks, data.name, project_rate), durable=True)

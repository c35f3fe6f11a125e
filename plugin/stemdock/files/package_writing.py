"""Writes the files that hold all sounds of a song: imported only for these, since it imports XML and zip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock.audio.dj_files import write_dj_file
from stemdock.audio.films import write_film
from stemdock.files.archives import write_stem_archive
from stemdock.files.ardour_sessions import write_ardour_session
from stemdock.files.audacity_projects import write_audacity_project
from stemdock.files.daw_projects import write_daw_project
from stemdock.files.packing import missing_tags
from stemdock.files.rpp_projects import write_rpp_project
from stemdock.output.daw_tracks import DawProject
from stemdock.output.packages import Film, StemArchive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from threading import Event

    from stemdock.audio import Signal
    from stemdock.audio.films import FilmSound
    from stemdock.files.placing import Placement
    from stemdock.output.tags import Tags

_PROJECTS: Final = {
    "rpp": write_rpp_project,
    "ardour": write_ardour_session,
    "audacity": write_audacity_project,
}
"""Projects beside their sounds."""


def pack(
    files: Placement,
    staged: Mapping[str, Path],
    signal: Signal,
    tags: Tags,
    cancel: Event | None,
    film: FilmSound | None = None,
    *,
    copy_tags: bool = True,
) -> list[str]:
    """Joins the encoded sounds if one file holds all of them.

    Args:
        files: The files of the song.
        staged: Their temporary paths.
        signal: Format and length of the sounds.
        tags: Tags and cover of the song.
        cancel: Set it from another thread to stop.
        film: The sound to replace, if the file is a film.
        copy_tags: Whether a film gets the tags of the other one.

    Returns:
        Warnings.

    Raises:
        OutputError: The file cannot be written.
        CancelledError: `cancel` was set.
    """
    if files.package is None or files.format is None:
        return []
    path = staged[files.format]
    sounds = files.sounds(staged)
    if isinstance(files.package, DawProject) and (write := _PROJECTS.get(files.format)):
        write(path, files.package, files.places[files.format], files.places, signal, tags)
        return []
    if isinstance(files.package, DawProject):
        write_daw_project(path, files.package, sounds, signal, tags, cancel)
        return []
    if isinstance(files.package, StemArchive):
        write_stem_archive(path, sounds, cancel)
        return []
    if isinstance(files.package, Film):
        assert film is not None  # noqa: S101  looked for before the separation
        (sound,) = sounds.values()
        write_film(path, files.source, film, sound, copy_tags=copy_tags, cancel=cancel)
        return []
    reason = write_dj_file(path, files.package, sounds, tags, cancel)
    return [missing_tags(files.places[files.format], reason)] if reason else []

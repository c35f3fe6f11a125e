"""The way from sounds to files: one file for each sound, or all of them in one file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from stemdock.audio import FilmSound, write_dj_file, write_film
from stemdock.files.archives import write_stem_archive
from stemdock.files.ardour_sessions import write_ardour_session
from stemdock.files.audacity_projects import write_audacity_project
from stemdock.files.daw_projects import write_daw_project
from stemdock.files.rpp_projects import write_rpp_project
from stemdock.files.stem_writing import StemFile
from stemdock.output.daw_tracks import DawProject
from stemdock.output.dj_parts import DjFile
from stemdock.output.packages import Film, StemArchive
from stemdock.output.tags import Tags

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from threading import Event

    from stemdock.audio import Signal
    from stemdock.files.placing import Placement
    from stemdock.files.stem_writing import Written

_PROJECTS: Final = {
    "rpp": write_rpp_project,
    "ardour": write_ardour_session,
    "audacity": write_audacity_project,
}
"""Projects beside their sounds."""


def stem_files(files: Placement, staged: Mapping[str, Path], tags: Tags) -> dict[str, StemFile]:
    """The sounds to encode, by name.

    Args:
        files: The files of the song.
        staged: Their temporary paths.
        tags: Tags of the song. The name of a stem or mix becomes part of its title. Sounds that
            no program sees by themselves get none.
    """
    paths = files.sounds(staged)
    return {
        name: StemFile(
            path=paths[name],
            indices=indices,
            tags=_tags(files, tags, name),
            levels=files.levels.get(name, {}),
        )
        for name, indices in files.indices.items()
    }


def _tags(files: Placement, tags: Tags, name: str) -> Tags:
    if isinstance(files.package, DjFile | DawProject | Film):
        return Tags()
    return replace(tags, title=f"{tags.title} ({name})") if tags.title else tags


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
    return [_missing_tags(files.places[files.format], reason)] if reason else []


def by_kind(files: Placement, stems: Sequence[str]) -> dict[str, Any]:
    """The fields of a `SeparatedFile` for the written files.

    Args:
        files: The files of the song.
        stems: The model's stems.
    """
    sounds = {name: path for name, path in files.places.items() if name != files.format}
    return {
        "stems": {name: path for name, path in sounds.items() if name in stems},
        "mixes": {name: path for name, path in sounds.items() if name not in stems},
        "packages": {name: path for name, path in files.places.items() if name == files.format},
    }


def levels(files: Placement, written: Written) -> dict[str, Any]:
    """The fields of a `SeparatedFile` for the levels of the written files."""
    if files.format is None:
        return {"peaks": written.peaks, "clipped_lengths": written.clipped_lengths}
    # Samples of sounds beside a project count once.
    clipped_length = sum(written.clipped_lengths.values()) if len(files.places) == 1 else 0
    return {
        "peaks": {files.format: max(written.peaks.values())}
        | {name: peak for name, peak in written.peaks.items() if name in files.places},
        "clipped_lengths": {files.format: clipped_length}
        | {name: length for name, length in written.clipped_lengths.items() if name in files.places},
    }


def tag_warnings(files: Placement, written: Written) -> list[str]:
    """A warning for each encoded sound that lacks tags."""
    return [
        _missing_tags(files.place_of(name), reason) for name, reason in written.tag_warnings.items() if reason
    ]


def _missing_tags(path: Path, reason: str) -> str:
    return f"{path}: not all tags were written ({reason})"

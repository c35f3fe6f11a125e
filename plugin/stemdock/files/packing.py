"""The way from sounds to files: one file for each sound, or all of them in one file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stemdock.files.stem_writing import StemFile
from stemdock.output.daw_tracks import DawProject
from stemdock.output.dj_parts import DjFile
from stemdock.output.packages import Film
from stemdock.output.tags import Tags

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from stemdock.files.placing import Placement
    from stemdock.files.stem_writing import Written


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
        missing_tags(files.place_of(name), reason) for name, reason in written.tag_warnings.items() if reason
    ]


def missing_tags(path: Path, reason: str) -> str:
    """The warning for a file that lacks tags."""
    return f"{path}: not all tags were written ({reason})"

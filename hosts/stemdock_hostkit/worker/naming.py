"""Names for stem files: valid on every system, and never the name of an existing file."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock import OutputError, legal_name, move_all_to_place, printable
from stemdock_hostkit.worker.recovery import note_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stemdock_hostkit.job.folder import Job

_LONGEST: Final = 120
"""Bytes of a name in UTF-8; file systems allow 255, which include the stem's title."""


def file_name(name: str, fallback: str = "Item") -> str:
    """A name without characters that some file system forbids, shortened if need be.

    Args:
        name: Any text.
        fallback: The name if nothing of it is left.
    """
    # A dot in front would hide the file.
    return legal_name(name.lstrip(" ."), max_bytes=_LONGEST, fallback=fallback)


def move_to_free_names(job: Job, files: Mapping[str, Path], folder: Path, name: str) -> Mapping[str, Path]:
    """Moves stems to a folder, all or none, under names with the same number in all of them.

    When this returns, they survive a power failure.

    Args:
        job: Notes the names, so that they are found if this process is killed.
        files: The complete file of each stem, in the same file system as the folder.
        folder: An existing folder. Nothing in it is replaced.
        name: Name of the mixture.

    Returns:
        `<name> - <Stem>.wav`, or `<name> (2) - <Stem>.wav` and so on, for each stem.

    Raises:
        OutputError: A file cannot be moved.
    """
    base = file_name(name)
    for number in count(1):
        numbered = base if number == 1 else f"{base} ({number})"
        paths = {stem: folder / f"{numbered} - {title(stem)}.wav" for stem in files}
        if not any(map(os.path.lexists, paths.values())):
            note_names(job, ((files[stem], path) for stem, path in paths.items()))
            if _move(files, paths):
                return paths
    raise AssertionError  # count() has no end


def title(stem: str) -> str:
    """A stem's name as shown to the user."""
    return printable(stem[:1].upper() + stem[1:])


def _move(files: Mapping[str, Path], paths: Mapping[str, Path]) -> bool:
    """Moves all files or none; False if another program has just taken a name."""
    try:
        move_all_to_place({files[stem]: path for stem, path in paths.items()}, overwrite=False, durable=True)
    except FileExistsError:
        return False
    except OSError as error:
        raise OutputError(
            Path(error.filename2 or error.filename or next(iter(paths.values()))),
            f"cannot be written ({error.strerror})",
            remedy="Check the permissions and the free disk space of the folder for the stems.",
        ) from error
    return True

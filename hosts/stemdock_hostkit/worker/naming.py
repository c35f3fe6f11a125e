"""Names for stem files: valid on every system, and never the name of an existing file."""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Final

from stemdock import OutputError, legal_name, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_LONGEST: Final = 120
"""Bytes of a name in UTF-8; file systems allow 255, which include the stem's title."""


def file_name(name: str) -> str:
    """A name without characters that some file system forbids, shortened if need be."""
    # A dot in front would hide the file.
    return legal_name(name.lstrip(" ."), max_bytes=_LONGEST, fallback="Item")


def reserve_paths(folder: Path, name: str, stems: Sequence[str]) -> Mapping[str, Path]:
    """Creates an empty file for each stem, with the same number in all names.

    Args:
        folder: An existing folder.
        name: Name of the mixture.
        stems: Names of the stems.

    Returns:
        `<name> - <Stem>.wav`, or `<name> (2) - <Stem>.wav` and so on, for each stem.

    Raises:
        OutputError: A file cannot be created.
    """
    base = file_name(name)
    for number in count(1):
        numbered = base if number == 1 else f"{base} ({number})"
        paths = {stem: folder / f"{numbered} - {title(stem)}.wav" for stem in stems}
        if _create_all(list(paths.values())):
            return paths
    raise AssertionError  # count() has no end


def title(stem: str) -> str:
    """A stem's name as shown to the user."""
    return printable(stem[:1].upper() + stem[1:])


def _create_all(paths: Sequence[Path]) -> bool:
    """Creates all files or none; False if one already exists."""
    created: list[Path] = []
    for path in paths:
        try:
            path.touch(exist_ok=False)
        except OSError as error:
            for other in created:
                with suppress(OSError):
                    other.unlink()
            if isinstance(error, FileExistsError):
                return False
            raise OutputError(
                path,
                f"cannot be created ({error.strerror})",
                remedy="Check the permissions and the free disk space of the project's media folder.",
            ) from error
        created.append(path)
    return True

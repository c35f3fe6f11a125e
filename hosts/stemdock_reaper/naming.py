"""Names for stem files that are legal on every system and never those of another file."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Final

from stemdock import OutputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_ILLEGAL: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_LONGEST: Final = 120
"""Bytes of a name in UTF-8; file systems take 255, and the stem's title must fit too."""


def file_name(name: str) -> str:
    """A name with what some file system forbids replaced or cut off."""
    legal = _ILLEGAL.sub("_", name).strip(" .")
    shortened = legal.encode("utf-8", "replace")[:_LONGEST].decode("utf-8", "ignore").strip(" .")
    return shortened or "Item"


def reserve_paths(folder: Path, name: str, stems: Sequence[str]) -> Mapping[str, Path]:
    """Creates an empty file for each stem, under one number for all of them.

    Args:
        folder: Where they go; must exist.
        name: Of the mixture.
        stems: Names of stems.

    Returns:
        `<name> - <Stem>.wav`, or `<name> (2) - <Stem>.wav` and so on, for each stem.

    Raises:
        OutputError: The folder cannot be written to.
    """
    base = file_name(name)
    for number in count(1):
        numbered = base if number == 1 else f"{base} ({number})"
        paths = {stem: folder / f"{numbered} - {title(stem)}.wav" for stem in stems}
        if _create_all(list(paths.values())):
            return paths
    raise AssertionError  # count() has no end


def title(stem: str) -> str:
    """A stem's name as people read it."""
    return stem[:1].upper() + stem[1:]


def _create_all(paths: Sequence[Path]) -> bool:
    """Creates all files or none; False if one is there already."""
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
                remedy="Check the permissions and free space of the project's media folder.",
            ) from error
        created.append(path)
    return True

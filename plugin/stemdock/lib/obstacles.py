"""What stands where a folder has to be: a file, a device, a link that leads nowhere.

The system's own words for it do not help: "File exists" for a link to a folder that is missing.
"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stemdock.lib.paths import exists, is_folder, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class ObstacleError(NotADirectoryError):
    """A folder cannot be created, because it or a folder above it is something else.

    Attributes:
        remedy: What to do now, one sentence.
    """

    def __init__(self, folder: Path, obstacle: Path, kind: str) -> None:
        name = "it" if obstacle == folder else obstacle
        # Of links, only those that lead nowhere are in the way.
        is_link = obstacle.is_symlink() and not exists(obstacle)
        reason = f"{name} is {kind}" if is_link else f"{name} is {kind}, not a folder"
        super().__init__(errno.ENOTDIR, reason, str(folder))
        self.remedy = f"Remove {obstacle}, or choose another folder." if is_link else "Choose another folder."


@contextmanager
def obstacles_named(folder: Path) -> Iterator[None]:
    """Raises `ObstacleError` in place of the system's error if something is in the way of a folder.

    Args:
        folder: The folder that the block creates.

    Raises:
        ObstacleError: It, or the nearest folder above it, is not a folder.
    """
    try:
        yield
    except OSError as error:
        for path in (*reversed(folder.parents), folder):
            kind = kind_of(path)
            if kind and not is_folder(path):
                raise ObstacleError(folder, path, kind) from error
        raise

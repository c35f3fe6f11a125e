"""What must survive a power failure: content reaches the disk before the name that stands for it.

A system may write names and contents in any order unless it is told to flush. So the order is: flush the
content of new files, move them to their places, flush the folder; only then may a record name them.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock.lib.obstacles import obstacles_named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stemdock.lib.arguments import StrPath

_N_ATTEMPTS: Final = 20
"""Times that other processes may remove a folder while it is being made."""


def flush_file(path: Path) -> None:
    """Waits until the disk has the content of a file.

    Raises:
        OSError: The file cannot be opened or written.
    """
    # Windows flushes only files that are open for writing.
    _flush(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)


def flush_files(paths: Iterable[Path]) -> None:
    """As `flush_file`, for several files at the same time, which takes hardly longer than for one.

    Raises:
        OSError: A file cannot be opened or written.
    """
    with ThreadPoolExecutor() as pool:
        list(pool.map(flush_file, paths))


def flush_folder(path: StrPath) -> None:
    """Waits until the disk has the names in a folder, on systems that can flush folders."""
    with suppress(OSError):
        _flush(path, os.O_RDONLY)


def make_folder(folder: StrPath) -> None:
    """Creates a folder and its parents where they are missing; the disk has their names at the end.

    Raises:
        ObstacleError: Something else is in its place, or in that of a folder above it.
        OSError: It cannot be created.
        ValueError: No system can have this path.
    """
    folder = Path(folder)
    missing = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    with obstacles_named(folder):
        _make(folder)
    for path in missing:
        flush_folder(path.parent)


def _make(folder: Path) -> None:
    # Another process may remove the folder, or one above it, as an empty one at any moment.
    for _ in range(_N_ATTEMPTS - 1):
        with suppress(FileExistsError, FileNotFoundError):
            folder.mkdir(parents=True, exist_ok=True)
            return
    folder.mkdir(parents=True, exist_ok=True)


def _flush(path: StrPath, mode: int) -> None:
    descriptor = os.open(path, mode)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Hidden folders for unfinished files, beside the place where the finished ones go.

A run that is killed leaves its folder behind. The next one removes it, and tells it from the folder
of a run that lives by a lock inside, which the system frees when its holder dies.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filelock import BaseFileLock

_PREFIX: Final = ".stemdock-"
_LOCK: Final = ".lock"


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """A hidden folder inside `folder` for unfinished files; leaves nothing of its own behind.

    Args:
        folder: Made if it is missing, and then removed again unless something was put there.

    Raises:
        OutputError: It cannot be written to.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path, lock = _locked_folder(folder)
    except OSError as error:
        remove_empty(missing)
        raise OutputError(
            folder,
            f"cannot be written to ({error.strerror})",
            remedy="Choose a folder that you may write to.",
        ) from error
    try:
        yield path
    finally:
        _remove(path, lock)
        remove_empty(missing)


def remove_abandoned(folder: Path) -> None:
    """Removes what killed runs left in a folder, and the folder itself if nothing else is in it.

    What cannot be removed stays: it is in nobody's way.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415  only those who separate need it

    n_removed = 0
    with suppress(OSError):
        for path in sorted(folder.glob(f"{_PREFIX}*")):
            lock = FileLock(path / _LOCK)
            with suppress(Timeout, OSError, NotImplementedError):
                lock.acquire(blocking=False)
                _remove(path, lock)
                n_removed += 1
    if n_removed:
        remove_empty([folder])


def remove_empty(folders: list[Path]) -> None:
    """Removes folders, deepest first, up to the first that holds something."""
    with suppress(OSError):
        for path in folders:
            path.rmdir()


def _locked_folder(folder: Path) -> tuple[Path, BaseFileLock]:
    from filelock import FileLock  # noqa: PLC0415  as above

    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
        lock = FileLock(path / _LOCK)
        # Without locks on this file system, the folder is never taken for abandoned, for want of proof.
        with suppress(NotImplementedError):
            lock.acquire()
        # Another run may have come between the two lines, and taken the folder for abandoned.
        if path.is_dir():
            return path, lock
        lock.release()


def _remove(path: Path, lock: BaseFileLock) -> None:
    # Where an open file can be removed, nobody gets hold of the lock while its folder goes.
    shutil.rmtree(path, ignore_errors=True)
    lock.release()
    shutil.rmtree(path, ignore_errors=True)

"""Hidden folders for unfinished files, beside the place of the finished ones.

A run that is killed leaves its folder behind, and the next run removes it. A lock inside the folder
shows whether its run is still alive: the system releases the lock when the run ends.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock.errors import OutputError
from stemdock.lib.locking import Lock, LocksUnsupportedError
from stemdock.lib.os_errors import reason_for, write_remedy
from stemdock.lib.paths import exists, is_folder
from stemdock.lib.regular_files import is_real_file, is_real_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = ".stemdock-"
_NAME: Final = re.compile(rf"{re.escape(_PREFIX)}[0-9a-z_]{{8}}")
_LOCK: Final = ".lock"
_REMEDY: Final = "Choose a folder that you have permission to write to."


@contextmanager
def staging(folder: Path, *, remedy: str = _REMEDY) -> Iterator[Path]:
    """Gives a hidden folder inside `folder` for unfinished files, and removes it at the end.

    Args:
        folder: Created if it is missing, with its parents; those are removed again if they are empty
            at the end.
        remedy: The advice in the error.

    Raises:
        OutputError: The folder cannot be created, or you have no permission to write to it.
    """
    missing = [path for path in (folder, *folder.parents) if not exists(path)]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path, lock = _locked_folder(folder)
        except (OSError, ValueError) as error:
            reason = reason_for(error)
            raise OutputError(
                folder, f"cannot be written to ({reason})", remedy=write_remedy(reason, remedy)
            ) from error
        try:
            yield path
        finally:
            _remove(path, lock)
    finally:
        remove_empty(missing)


def remove_abandoned(folder: Path) -> None:
    """Removes the hidden folders of killed runs from a folder, and the folder itself if it is then empty.

    Folders that cannot be removed stay; they do no harm.
    """
    if _remove_abandoned_in(folder):
        remove_empty([folder])


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Gives a hidden folder in the system's folder for temporary files (`TMPDIR`), and removes it at the end.

    The folders that killed runs left there are removed first.

    Raises:
        OutputError: The folder cannot be created.
    """
    parent = Path(tempfile.gettempdir())
    _remove_abandoned_in(parent)
    with staging(parent) as folder:
        yield folder


def _remove_abandoned_in(folder: Path) -> int:
    """Removes the hidden folders of this user's killed runs; returns their number."""
    n_removed = 0
    with suppress(OSError):
        for path in sorted(folder.glob(f"{_PREFIX}*")):
            lock = Lock(path / _LOCK)
            with suppress(OSError):
                if _NAME.fullmatch(path.name) and _is_own(path) and lock.try_acquire():
                    _remove(path, lock)
                    n_removed += 1
    return n_removed


def _is_own(path: Path) -> bool:
    """Whether `staging` made a folder for this user: people and other programs may choose such names, too."""
    if hasattr(os, "getuid") and path.lstat().st_uid != os.getuid():
        return False
    return is_real_folder(path) and (is_real_file(path / _LOCK) or not any(path.iterdir()))


def remove_empty(folders: list[Path]) -> None:
    """Removes folders, deepest first, up to the first that is not empty."""
    with suppress(OSError, ValueError):  # the latter for paths that no system accepts
        for path in folders:
            path.rmdir()


def _locked_folder(folder: Path) -> tuple[Path, Lock]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
        try:
            lock = Lock(path / _LOCK)
            acquired = lock.try_acquire()
        except LocksUnsupportedError:
            # `remove_abandoned` cannot acquire a lock either, and removes nothing.
            acquired = True
        except BaseException:  # a signal that ends the process, too
            shutil.rmtree(path, ignore_errors=True)
            raise
        # Between the two calls, another run may have taken the folder for abandoned.
        if acquired and is_folder(path):
            return path, lock
        lock.release()


def _remove(path: Path, lock: Lock) -> None:
    # Where open files can be removed, another run cannot get the lock before the folder is gone.
    shutil.rmtree(path, ignore_errors=True)
    lock.release()
    shutil.rmtree(path, ignore_errors=True)

"""Hidden folders for unfinished files, beside the place of the finished ones.

A run that is killed leaves its folder behind, and the next run removes it. A lock inside the folder
shows whether its run is still alive: the system releases the lock when the run ends.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from time import time
from typing import TYPE_CHECKING, Final

from stemdock.errors import OutputError
from stemdock.files.growing import is_growing, withdraw_abandoned
from stemdock.lib.durable import make_folder
from stemdock.lib.locking import Lock, LocksUnsupportedError
from stemdock.lib.machines import machine_name
from stemdock.lib.obstacles import ObstacleError
from stemdock.lib.os_errors import reason_for, write_remedy
from stemdock.lib.paths import exists
from stemdock.lib.regular_files import is_real_file, is_real_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock.lib.arguments import StrPath

_PREFIX: Final = ".stemdock-"
_NAME: Final = re.compile(rf"{re.escape(_PREFIX)}[0-9a-f]{{16}}(?:\.([0-9a-f]{{8}}))?")
"""The last part stands for the machine."""
_QUIET: Final = 24 * 3600.0
"""Seconds without a change, after which a folder of another machine counts as abandoned if its lock is free:
there are drives whose locks other machines do not see."""
_LOCK: Final = ".lock"
_N_ATTEMPTS: Final = 100
"""Times that other runs may remove a folder while it is being made. Each time has a chance of about 1 %."""
_REMEDY: Final = "Choose a folder that you have permission to write to."


@contextmanager
def staging(folder: StrPath, *, remedy: str = "") -> Iterator[Path]:
    """Gives a hidden folder inside `folder` for unfinished files, and removes it at the end.

    The hidden folders that killed runs left in `folder` are removed first.

    Args:
        folder: Created if it is missing, with its parents; those are removed again if they are empty
            at the end.
        remedy: The advice in the error; by default, one that suits its reason.

    Raises:
        OutputError: The folder cannot be created, or you have no permission to write to it.
    """
    folder = Path(folder)
    missing = [path for path in (folder, *folder.parents) if not exists(path)]
    try:
        try:
            _remove_abandoned_in(folder)
            path, lock = _locked_folder(folder)
        except (OSError, ValueError) as error:
            reason = reason_for(error)
            usual = error.remedy if isinstance(error, ObstacleError) else _REMEDY
            advice = write_remedy(reason, remedy or usual)
            raise OutputError(folder, f"cannot be written to ({reason})", remedy=advice) from error
        try:
            yield path
        finally:
            _remove(path, lock)
    finally:
        remove_empty(missing)


def remove_abandoned(folder: StrPath) -> None:
    """Removes the hidden folders of killed runs from a folder, and the folder itself if it is then empty.

    Folders that cannot be removed stay; they do no harm.
    """
    folder = Path(folder)
    if _remove_abandoned_in(folder):
        remove_empty([folder])


def is_unfinished(place: Path) -> bool:
    """Whether a file is one that a run lets grow, or let grow until it was killed."""
    return is_growing(place, _hidden_folders(place.parent))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Gives a hidden folder in the system's folder for temporary files (`TMPDIR`), and removes it at the end.

    Raises:
        OutputError: The folder cannot be created.
    """
    with staging(Path(tempfile.gettempdir())) as folder:
        yield folder


def _remove_abandoned_in(folder: Path) -> bool:
    """Removes the hidden folders of this user's killed runs; returns whether there were any."""
    was_any = False
    with suppress(OSError):
        for path in _hidden_folders(folder):
            with suppress(OSError):
                was_any |= _remove_if_abandoned(path)
    return was_any


def _hidden_folders(folder: Path) -> Iterator[Path]:
    """The hidden folders of this user's runs."""
    for path in sorted(folder.glob(f"{_PREFIX}*")):
        with suppress(OSError):
            if _NAME.fullmatch(path.name) and _is_own(path):
                yield path


def _remove_if_abandoned(path: Path) -> bool:
    if _may_be_at_work_elsewhere(path):
        return False
    # If there is no lock, its run lost it by a kill or a power failure, or is about to make it. In that case,
    # that run makes another folder.
    lock = Lock(path / _LOCK)
    is_abandoned = lock.try_acquire()
    if is_abandoned:
        with suppress(OSError):
            withdraw_abandoned(path)
        _remove(path, lock)
    return is_abandoned


def _may_be_at_work_elsewhere(path: Path) -> bool:
    match = _NAME.fullmatch(path.name)
    if not match or match[1] in {None, _machine()}:
        return False
    changes = [each.lstat().st_mtime for each in (path, *path.rglob("*"))]
    return max(changes) > time() - _QUIET


def _machine() -> str:
    return sha256(machine_name().encode(errors="surrogateescape")).hexdigest()[:8]


def _is_own(path: Path) -> bool:
    """Whether this user's `staging` can have made a folder; others can make one of that name."""
    if hasattr(os, "getuid") and path.lstat().st_uid != os.getuid():
        return False
    lock = path / _LOCK
    return is_real_folder(path) and (is_real_file(lock) or not os.path.lexists(lock))


def remove_empty(folders: list[Path]) -> None:
    """Removes folders, deepest first, up to the first that is not empty."""
    with suppress(OSError, ValueError):  # the latter for paths that no system accepts
        for path in folders:
            path.rmdir()


def _locked_folder(folder: Path) -> tuple[Path, Lock]:
    """Makes a folder and its lock, until no other run has taken it for abandoned meanwhile."""
    for _ in range(_N_ATTEMPTS):
        make_folder(folder)
        path = folder / f"{_PREFIX}{token_hex(8)}.{_machine()}"
        lock = Lock(path / _LOCK)
        with suppress(FileNotFoundError, FileExistsError), ExitStack() as stack:
            stack.callback(_remove, path, lock)  # after a signal that ends the process, too
            path.mkdir(mode=0o700)
            if _is_locked(path, lock):
                stack.pop_all()
                return path, lock
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))


def _is_locked(path: Path, lock: Lock) -> bool:
    """Makes and acquires the lock of a new folder; returns False if another run has taken the lock.

    Raises:
        FileNotFoundError: Another run has removed the folder.
        FileExistsError: Another run has made the lock.
    """
    file = os.open(path / _LOCK, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        # If the folder is gone, filelock makes it again, with other permissions. As long as the first file is
        # open, no other file has its number.
        return _try_acquire(lock) and os.path.samestat(os.fstat(file), (path / _LOCK).lstat())
    finally:
        os.close(file)


def _try_acquire(lock: Lock) -> bool:
    try:
        return lock.try_acquire()
    except LocksUnsupportedError:
        # `remove_abandoned` cannot acquire a lock either, and removes nothing.
        return True


def _remove(path: Path, lock: Lock) -> None:
    # Where open files can be removed, another run cannot get the lock before the folder is gone.
    shutil.rmtree(path, ignore_errors=True)
    lock.release()
    # Elsewhere, the lock and its folder are still there.
    shutil.rmtree(path, ignore_errors=True)

"""Folders and files that no other user can change."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock.lib.obstacles import obstacles_named

if TYPE_CHECKING:
    from stemdock.lib.arguments import StrPath

_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_THIS_USER_ALONE: Final = 0o700
_ONLY_THIS_USER_WRITES: Final = 0o755


class UnsafeFolderError(OSError):
    """Another user can change what is in a folder. The message names the folder."""


def make_private_folder(folder: StrPath) -> None:
    """Creates a folder that only this user can enter, or checks the one that exists.

    Windows has no such modes. There, folders in the user's profile are private.

    Raises:
        UnsafeFolderError: It is a link or a file, belongs to another user, or others may write into it.
        ObstacleError: Something else is in the place of a folder above it.
        OSError: It cannot be created.
    """
    folder = Path(folder)
    with obstacles_named(folder):
        for path in _missing(folder):
            with suppress(FileExistsError):  # another process was faster
                path.mkdir(mode=_THIS_USER_ALONE)
                path.chmod(_THIS_USER_ALONE)  # whatever the user's umask is
        status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise UnsafeFolderError(f"{folder} is not a folder")
    if not _is_own(status):
        raise UnsafeFolderError(f"{folder} belongs to another user, or others may write into it")


def make_own_folder(folder: StrPath) -> None:
    """Creates a folder, and its parents where they are missing, that no other user can write into.

    A folder that exists stays as it is.

    Raises:
        ObstacleError: Something else is in its place, or in that of a folder above it.
        OSError: It cannot be created.
    """
    folder = Path(folder)
    with obstacles_named(folder):
        for path in _missing(folder):
            with suppress(FileExistsError):
                path.mkdir(mode=_ONLY_THIS_USER_WRITES)
        folder.mkdir(exist_ok=True)  # fails if it is not a folder


def is_private_folder(path: StrPath) -> bool:
    """Whether a path is a folder, not a link, that belongs to this user, and that others may not write.

    Raises:
        OSError: There is nothing at this path.
    """
    status = Path(path).lstat()
    return stat.S_ISDIR(status.st_mode) and _is_own(status)


def is_private_file(path: StrPath) -> bool:
    """Whether a path is a file, not a link, that belongs to this user, and that others may not write.

    Raises:
        OSError: There is nothing at this path.
    """
    status = Path(path).lstat()
    return stat.S_ISREG(status.st_mode) and _is_own(status)


def deny_others_writing(path: StrPath) -> None:
    """Takes away other users' permission to write to a file of this user.

    Raises:
        OSError: The file is missing, or belongs to another user.
    """
    path = Path(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _WRITABLE_BY_OTHERS:
        path.chmod(mode & ~_WRITABLE_BY_OTHERS)


def _missing(folder: Path) -> list[Path]:
    """The folder and its parents, as far as they do not exist, parents first."""
    missing = [folder, *folder.parents]
    while missing and os.path.lexists(missing[-1]):
        missing.pop()
    return missing[::-1]


def _is_own(status: os.stat_result) -> bool:
    return sys.platform == "win32" or (
        status.st_uid == os.geteuid() and not status.st_mode & _WRITABLE_BY_OTHERS
    )

"""Folders and files that no other user can change."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_THIS_USER_ALONE: Final = 0o700


class UnsafeFolderError(OSError):
    """Another user can change what is in a folder. The message names the folder."""


def make_private_folder(folder: Path) -> None:
    """Creates a folder that only this user can enter, or checks the one that exists.

    Windows has no such modes. There, folders in the user's profile are private.

    Raises:
        UnsafeFolderError: It is a link or a file, belongs to another user, or others may write into it.
        OSError: It cannot be created.
    """
    missing = [folder, *folder.parents]
    while missing and os.path.lexists(missing[-1]):
        missing.pop()
    for path in reversed(missing):
        with suppress(FileExistsError):  # another process was faster
            path.mkdir(mode=_THIS_USER_ALONE)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise UnsafeFolderError(f"{folder} is not a folder")
    if not _is_own(status):
        raise UnsafeFolderError(f"{folder} belongs to another user, or others may write into it")


def is_private_file(path: Path) -> bool:
    """Whether a path is a file, not a link, that belongs to this user, and that others may not write.

    Raises:
        OSError: There is nothing at this path.
    """
    status = path.lstat()
    return stat.S_ISREG(status.st_mode) and _is_own(status)


def _is_own(status: os.stat_result) -> bool:
    return sys.platform == "win32" or (
        status.st_uid == os.geteuid() and not status.st_mode & _WRITABLE_BY_OTHERS
    )

"""Reading files from folders in which anybody can put anything."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

    from stemdock.lib.arguments import StrPath

MAX_SIZE: Final = 4 << 20
"""Bytes: a hundred times the largest text that Stemdock writes."""


def is_real_folder(path: Path) -> bool:
    """Whether a path is a folder, not a link to one. False if it cannot be seen."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def is_real_file(path: Path) -> bool:
    """Whether a path is a file: not a link, folder, pipe or device. False if it cannot be seen."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def read_regular_file(path: StrPath, *, max_size: int = MAX_SIZE, follow_link: bool = False) -> bytes:
    """Reads a small file; neither waits at a pipe nor fills the memory.

    Args:
        path: The file.
        max_size: Bytes that the file may have.
        follow_link: Whether it may be a link to a file.

    Raises:
        OSError: It cannot be read, is larger, or is a link, a folder, a pipe or a device.
    """
    with open_regular_file(path, follow_link=follow_link) as file:
        content = file.read(max_size + 1)
    if len(content) > max_size:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), os.fspath(path))
    return content


def open_regular_file(path: StrPath, *, follow_link: bool) -> BufferedReader:
    """Opens a file for reading; does not wait at a pipe.

    Raises:
        OSError: It cannot be opened, or is a folder, a pipe, a device, or a link that is not to be followed.
    """
    opener = _open_without_waiting if follow_link else _open_no_link
    file = open(path, "rb", opener=opener)  # noqa: SIM115  the caller closes it
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, "is not a file", os.fspath(path))


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _open_no_link(path: str, flags: int) -> int:
    return _open_without_waiting(path, flags | getattr(os, "O_NOFOLLOW", 0))

"""Hashes of files."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stemdock.lib.arguments import StrPath


def file_sha256(path: StrPath) -> str:
    """SHA-256 of a file's content, in hex.

    Raises:
        OSError: It cannot be read, or is a folder, a pipe or a device, which may have no end.
    """
    return files_sha256([path])


def files_sha256(paths: Iterable[StrPath]) -> str:
    """SHA-256 of the contents of several files, one after the other, in hex.

    Raises:
        OSError: One cannot be read, or is a folder, a pipe or a device, which may have no end.
    """
    digest = hashlib.sha256()
    # In large pieces: between two of them, a thread that keeps Python busy makes this one wait.
    buffer = memoryview(bytearray(1 << 23))
    for path in paths:
        with open(path, "rb", opener=_open_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(errno.EINVAL, "is not a file", os.fspath(path))
            while n_read := file.readinto(buffer):
                digest.update(buffer[:n_read])
    return digest.hexdigest()


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))

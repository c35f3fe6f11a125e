"""Hashes of files."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final

from stemdock.lib.regular_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stemdock.lib.arguments import StrPath


_PIECE: Final = 1 << 23
"""Bytes. So many, because between two pieces, a thread that keeps Python busy makes this one wait."""


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
    for path in paths:
        with open_regular_file(path, follow_link=True) as file:
            size = os.fstat(file.fileno()).st_size
            buffer = memoryview(bytearray(min(max(size, 1), _PIECE)))
            while n_read := file.readinto(buffer):
                digest.update(buffer[:n_read])
    return digest.hexdigest()

"""Hashes of files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stemdock.lib.arguments import StrPath


def file_sha256(path: StrPath) -> str:
    """SHA-256 of a file's content, in hex.

    Raises:
        OSError: The file cannot be read.
    """
    return files_sha256([path])


def files_sha256(paths: Iterable[StrPath]) -> str:
    """SHA-256 of the contents of several files, one after the other, in hex.

    Raises:
        OSError: A file cannot be read.
    """
    digest = hashlib.sha256()
    # In large pieces: between two of them, a thread that keeps Python busy makes this one wait.
    buffer = memoryview(bytearray(1 << 23))
    for path in paths:
        with Path(path).open("rb") as file:
            while n_read := file.readinto(buffer):
                digest.update(buffer[:n_read])
    return digest.hexdigest()

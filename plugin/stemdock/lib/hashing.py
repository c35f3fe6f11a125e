"""Hashes of files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def file_sha256(path: Path) -> str:
    """Hash of a file's content, in hex.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        digest = hashlib.sha256()
        # In large pieces: between two of them, a thread that keeps Python busy makes this one wait.
        buffer = memoryview(bytearray(1 << 23))
        while n_read := file.readinto(buffer):
            digest.update(buffer[:n_read])
        return digest.hexdigest()

"""Hashes and checksums of files."""

from __future__ import annotations

import hashlib
import os
import zlib
from typing import TYPE_CHECKING, Final

from stemdock.lib.regular_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from stemdock.lib.arguments import StrPath


_PIECE: Final = 1 << 23
"""Bytes. So many, because between two pieces, a thread that keeps Python busy makes this one wait."""


def file_sha256(path: StrPath, on_piece: Callable[[], object] | None = None) -> str:
    """SHA-256 of a file's content, in hex.

    Args:
        path: The file.
        on_piece: Called again and again; its errors are raised.

    Raises:
        OSError: It cannot be read, or is a folder, a pipe or a device, which may have no end.
    """
    return _sha256([path], on_piece)


def files_sha256(paths: Iterable[StrPath]) -> str:
    """SHA-256 of the contents of several files, one after the other, in hex.

    Raises:
        OSError: One cannot be read, or is a folder, a pipe or a device, which may have no end.
    """
    return _sha256(paths)


def _sha256(paths: Iterable[StrPath], on_piece: Callable[[], object] | None = None) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(paths):
        digest.update(piece)
        if on_piece:
            on_piece()
    return digest.hexdigest()


def files_checksum(paths: Iterable[StrPath]) -> str:
    """CRC-32 of the contents of several files, one after the other, in hex: shows damage by accident only.

    Raises:
        OSError: As for `files_sha256`.
    """
    checksum = 0
    for piece in _pieces(paths):
        checksum = zlib.crc32(piece, checksum)
    return f"{checksum:08x}"


def _pieces(paths: Iterable[StrPath]) -> Iterator[memoryview]:
    """The contents in pieces, each valid until the next one."""
    for path in paths:
        with open_regular_file(path, follow_link=True) as file:
            size = os.fstat(file.fileno()).st_size
            buffer = memoryview(bytearray(min(max(size, 1), _PIECE)))
            while n_read := file.readinto(buffer):
                yield buffer[:n_read]

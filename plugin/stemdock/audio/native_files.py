"""Files and their names as libraries in C can take them."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path


def native_name(path: Path) -> str | bytes:
    """A path for soundfile, which would encode a text itself and refuse what is no UTF-8."""
    return str(path) if sys.platform == "win32" else os.fsencode(path)


def open_plain(path: Path) -> BinaryIO:
    """Opens a file, but nothing that could keep its reader waiting, such as a named pipe.

    Raises:
        OSError: There is none, it may not be read, or it is no plain file.
        ValueError: The path has a NUL in it, or letters that are none.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "it is no plain file")
    return path.open("rb")


class Nameless:
    """A file's bytes for libsndfile, which is not to know its name."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Goes to a position, if there is such a one; returns where it is then."""
        # A damaged header may point to before the beginning, and nobody would catch the exception.
        with suppress(OSError):
            self._file.seek(offset, whence)
        return self._file.tell()

    def tell(self) -> int:
        """The position, bytes."""
        return self._file.tell()

    def read(self, size: int) -> bytes:
        """At most so many bytes from there on."""
        return self._file.read(size)

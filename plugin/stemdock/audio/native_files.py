"""Files and file names in the forms that C libraries accept."""

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
    """A path for soundfile, which cannot encode names that are not valid UTF-8."""
    return str(path) if sys.platform == "win32" else os.fsencode(path)


def open_regular_file(path: Path) -> BinaryIO:
    """Opens a file for reading; refuses named pipes and devices, which could block the reader for ever.

    Raises:
        OSError: The file does not exist, is not readable, or is not a regular file.
        ValueError: The path contains a null character or an unpaired surrogate.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "not a regular file")
    return path.open("rb")


class AnonymousFile:
    """An open file whose name libsndfile cannot see, so that it judges by the content alone."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves to a position if it is valid; returns the position afterwards."""
        # A damaged header may point before the beginning, and libsndfile cannot catch the exception.
        with suppress(OSError):
            self._file.seek(offset, whence)
        return self._file.tell()

    def tell(self) -> int:
        """The position in bytes."""
        return self._file.tell()

    def read(self, size: int) -> bytes:
        """Reads up to `size` bytes."""
        return self._file.read(size)

"""Comparing the contents of files by size and hash."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stemdock.errors import AudioFileError, AudioFileNotFoundError, OutputError
from stemdock.lib.hashing import file_sha256
from stemdock.lib.os_errors import os_errors_as

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Size and hash of a file's bytes."""

    size: int
    """Bytes."""
    sha256: str
    """Hex."""


def mixture_content(path: Path) -> Content:
    """The content of a mixture.

    Raises:
        AudioFileError: It cannot be read, or is a pipe, a device or a folder. Their content can be read
            only once, or has no end.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise AudioFileError(
                path,
                "is not a regular file",
                remedy="Name an audio file, or pipe the audio into standard input (-).",
            )
        return _content(path)
    except FileNotFoundError as error:
        raise AudioFileNotFoundError(path) from error
    except OSError as error:
        raise AudioFileError(
            path, f"cannot be read ({error.strerror})", remedy="Name an audio file that you can read."
        ) from error


def output_content(path: Path) -> Content:
    """The content of a file that has just been written.

    Raises:
        OutputError: It cannot be read.
    """

    def unreadable(reason: str) -> OutputError:
        return OutputError(
            path, f"cannot be read again ({reason})", remedy="Check the disk and its free space."
        )

    with os_errors_as(unreadable):
        return _content(path)


def has_content(path: Path, content: Content) -> bool:
    """Whether there is a file with exactly this content."""
    try:
        # Comparing the sizes first avoids hashing truncated files.
        status = path.stat()
        return stat.S_ISREG(status.st_mode) and status.st_size == content.size and _content(path) == content
    except OSError:
        return False


def _content(path: Path) -> Content:
    return Content(size=path.stat().st_size, sha256=file_sha256(path))

"""What pages may use of this machine."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stemdock_web.errors import DiskFullError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the server."""

    n_song_bytes: int = 2_000_000_000
    """Of one upload."""
    n_disk_bytes: int = 20_000_000_000
    """Of all songs and stems together."""
    n_free_bytes: int = 1_000_000_000
    """That stay free on the disk."""
    n_sessions: int = 20
    n_songs: int = 100
    """Of one session."""
    away_time: float = 300.0
    """Seconds after which a session ends whose page is not connected: long enough for a computer that sleeps
    for a moment, or a phone that shows another program."""
    closed_time: float = 15.0
    """Seconds after which a session ends whose page said that it is closed: long enough to reload it."""
    upload_wait: float = 60.0
    """Seconds to wait for the next bytes of an upload."""
    request_wait: float = 10.0
    """Seconds to wait for the first lines of a request."""
    n_connections: int = 500
    """At the same time. Systems let a program open about 1000 files."""


def used_bytes(folder: Path) -> int:
    """Bytes of all files below a folder; files and folders that vanish meanwhile are left out."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_size  # noqa: PTH118  of os.walk
    return total


def check_space(folder: Path, limits: Limits, n_more_bytes: int = 0) -> None:
    """Checks that there is space for more.

    Args:
        folder: Where the songs are.
        limits: The limits.
        n_more_bytes: What is to be written.

    Raises:
        DiskFullError: There is none.
    """
    too_much = used_bytes(folder) + n_more_bytes > limits.n_disk_bytes
    if too_much or shutil.disk_usage(folder).free - n_more_bytes < limits.n_free_bytes:
        raise DiskFullError

"""The disk space of all pages: what their files use, and what uploads and exports are about to write."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING

from stemdock_web.errors import DiskFullError, NoSpaceError, SpaceUsedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock_web.limits import Limits


class Space:
    """Counts the space. Its calls look at all files, so they belong in a thread."""

    def __init__(self, root: Path, limits: Limits) -> None:
        """Nothing is promised yet.

        Args:
            root: The folder of all pages, each of which has a folder in it.
            limits: What they may use.
        """
        self._root = root
        self._limits = limits
        self._counting = Lock()
        """Held while files are counted: what is free for one of two uploads is not free for both."""
        self._n_promised = 0
        self._separating: list[Path] = []
        self._lock = Lock()

    @contextmanager
    def promised(self, n_bytes: int) -> Iterator[Promise]:
        """Keeps space for a file that is about to be written.

        Args:
            n_bytes: Its size, as far as it is known.

        Raises:
            SpaceUsedError: The pages have used theirs.
            DiskFullError: The disk has too little.
        """
        promise = Promise(self)
        try:
            promise.extend(n_bytes)
            yield promise
        finally:
            self.release(promise.n_left)

    def promise(self, n_bytes: int) -> None:
        """Promises more.

        Raises:
            SpaceUsedError: The pages have used theirs.
            DiskFullError: The disk has too little.
        """
        with self._counting:
            self._check(n_bytes)
            with self._lock:
                self._n_promised += n_bytes

    def release(self, n_bytes: int) -> None:
        """Promises less; does not wait while files are counted."""
        with self._lock:
            self._n_promised -= n_bytes

    @contextmanager
    def separating(self, page: Path) -> Iterator[None]:
        """Notes that a song of a page is being separated, whose stems grow.

        Args:
            page: The folder of the page.
        """
        with self._lock:
            self._separating.append(page)
        try:
            yield
        finally:
            with self._lock:
                self._separating.remove(page)

    def check_growth(self, page: Path) -> None:
        """Checks that the song of a page may go on; without space, the page that uses most must stop.

        Raises:
            SpaceUsedError: The pages have used theirs.
            DiskFullError: The disk has too little.
        """
        with self._lock:
            pages = {*self._separating, page}
        with self._counting:
            try:
                self._check(0)
            except NoSpaceError:
                if page == max(sorted(pages), key=used_bytes):
                    raise

    def _check(self, n_more_bytes: int) -> None:
        n_coming = self._n_promised + n_more_bytes
        if used_bytes(self._root) + n_coming > self._limits.n_disk_bytes:
            raise SpaceUsedError(self._limits.n_disk_bytes)
        if shutil.disk_usage(self._root).free - n_coming < self._limits.n_free_bytes:
            raise DiskFullError


class Promise:
    """Space for one file.

    Attributes:
        n_left: Bytes that are promised and not written yet.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self.n_left = 0

    def extend(self, n_bytes: int) -> None:
        """Promises more.

        Raises:
            SpaceUsedError: The pages have used theirs.
            DiskFullError: The disk has too little.
        """
        self._space.promise(n_bytes)
        self.n_left += n_bytes

    def fulfil(self, n_bytes: int) -> None:
        """Notes that bytes were written, which count as used from now on."""
        n_bytes = min(n_bytes, self.n_left)
        self._space.release(n_bytes)
        self.n_left -= n_bytes


def used_bytes(folder: Path) -> int:
    """Bytes of all files below a folder; files and folders that vanish meanwhile are left out."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_size  # noqa: PTH118  of os.walk
    return total

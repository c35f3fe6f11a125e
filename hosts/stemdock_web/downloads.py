"""A finished export, whose files stay for as long as somebody fetches them."""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(slots=True, eq=False)
class Download:
    """An export that can be fetched. All fields change in the server's loop only."""

    path: Path
    """A file, or a folder of files."""
    _n_running: int = 0
    _is_over: bool = False

    @property
    def folder(self) -> Path:
        """The folder that the export has for itself, inside that of its page."""
        return self.path.parent

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keeps the files while they are sent."""
        self._n_running += 1
        try:
            yield
        finally:
            self._n_running -= 1
            if self._is_over and self.end():
                with suppress(OSError):  # the page is still open, or others fetch more of it
                    self.folder.parent.rmdir()

    def end(self) -> bool:
        """Removes the files as soon as nobody fetches them; returns whether that is now."""
        self._is_over = True
        if self._n_running:
            return False
        shutil.rmtree(self.folder, ignore_errors=True)
        return True

"""An event that files set."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class SetOnceThereIs(Event):
    """Is set when a file of this name exists anywhere below a folder."""

    def __init__(self, folder: Path, pattern: str) -> None:
        super().__init__()
        self._folder, self._pattern = folder, pattern

    def is_set(self) -> bool:
        return any(self._folder.rglob(self._pattern))

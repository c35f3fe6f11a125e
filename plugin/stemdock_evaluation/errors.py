"""Why songs cannot be evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import ModelError, StemdockError

if TYPE_CHECKING:
    from pathlib import Path


class DatasetError(StemdockError):
    """A folder holds no songs with known stems.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path}: {reason}",
            remedy="Give a folder like MUSDB18-HQ: test/<track>/{mixture,vocals,drums,bass,other}.wav.",
        )
        self.path = path


class TrackError(StemdockError):
    """A song whose files do not belong together, or say nothing about a separation.

    Attributes:
        path: The file or folder that is to blame.
    """

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        super().__init__(f"{path}: {reason}", remedy=remedy)
        self.path = path


class IncomparableModelError(ModelError):
    """The model's stems are none of those that the songs have."""

"""Errors of the evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import ModelError, StemdockError

if TYPE_CHECKING:
    from pathlib import Path


class DatasetError(StemdockError):
    """A folder contains no songs with known stems.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path}: {reason}",
            remedy="Choose a folder in the layout of MUSDB18-HQ: "
            "test/<track>/{mixture,vocals,drums,bass,other}.wav.",
        )
        self.path = path


class TrackError(StemdockError):
    """The files of a song do not match, or its stems cannot be measured.

    Attributes:
        path: The file or folder.
    """

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        super().__init__(f"{path}: {reason}", remedy=remedy)
        self.path = path


class IncomparableModelError(ModelError):
    """The model has fewer than two stems that the songs have, too."""

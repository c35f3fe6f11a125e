"""What can go wrong with REAPER, beyond what stemdock.errors names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock.errors import HostError, HostUnreachableError

if TYPE_CHECKING:
    from pathlib import Path

HOST = "reaper"


class ReaperNotFoundError(HostUnreachableError):
    """There is no REAPER resource folder."""

    def __init__(self) -> None:
        super().__init__(
            HOST,
            "no resource folder was found",
            remedy="Start REAPER once, or name the folder that its Options menu shows (--resource-path).",
        )


class NotAResourceFolderError(HostError):
    """A folder does not belong to REAPER.

    Attributes:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(
            HOST,
            f"{folder} has no reaper.ini in it",
            remedy="Name the folder that REAPER's menu Options > Show REAPER resource path opens.",
        )
        self.folder = folder


class ResourceFolderError(HostError, OSError):
    """A file in the resource folder cannot be read or written.

    Attributes:
        path: The file or folder.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(HOST, f"{path}: {reason}", remedy="Check its permissions and the free disk space.")
        self.path = path

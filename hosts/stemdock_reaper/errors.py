"""Errors of the connection between Stemdock and REAPER."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import HostError, HostUnreachableError

if TYPE_CHECKING:
    from pathlib import Path

HOST = "reaper"


class ReaperNotFoundError(HostUnreachableError):
    """No REAPER resource folder was found."""

    def __init__(self) -> None:
        super().__init__(
            HOST,
            "no resource folder was found",
            remedy="Start REAPER once. For a portable installation, name its resource path with "
            "--resource-path; REAPER shows it with Options > Show REAPER resource path.",
        )


class NotAResourceFolderError(HostError):
    """A folder is not a resource folder of REAPER.

    Attributes:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(
            HOST,
            f"{folder} does not contain reaper.ini",
            remedy="Name the folder that REAPER opens with Options > Show REAPER resource path.",
        )
        self.folder = folder


class ResourceFolderError(HostError, OSError):
    """A file in the resource folder cannot be read or written.

    Attributes:
        path: The file or folder.
    """

    def __init__(
        self,
        path: Path,
        reason: str,
        *,
        remedy: str = "Check the permissions of its folder and the free disk space, and try again.",
    ) -> None:
        super().__init__(HOST, f"{path}: {reason}", remedy=remedy)
        self.path = path


class ReaperRunningError(HostError):
    """REAPER is running, and would undo the change."""

    def __init__(self) -> None:
        super().__init__(
            HOST,
            "REAPER is running, and overwrites its list of actions when it closes",
            remedy="Close REAPER and run the command again.",
        )


class ProjectFileError(HostError):
    """A project file cannot be read or written, or the track number does not exist.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        super().__init__(HOST, f"{path}: {reason}", remedy=remedy)
        self.path = path

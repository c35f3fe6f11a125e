"""What can go wrong with REAPER, beyond what stemdock.errors names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import HostError, HostUnreachableError

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


class JobError(HostError):
    """A job folder is not what the script should have written.

    Attributes:
        folder: The job folder.
    """

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            HOST,
            f"{folder}: {reason}",
            remedy="Start the action again; if it stays so, run: plugin-cli reaper install",
        )
        self.folder = folder


class JobTakenError(JobError):
    """Another worker is at it, or has been."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "the job was started before")


class ReaperRunningError(HostError):
    """What is to be done would be undone by a REAPER that runs."""

    def __init__(self) -> None:
        super().__init__(
            HOST,
            "is running, and would overwrite its list of actions",
            remedy="Quit REAPER, and start this again.",
        )


class ProjectFileError(HostError):
    """A project file cannot be read, or has no place for the stems.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        super().__init__(HOST, f"{path}: {reason}", remedy=remedy)
        self.path = path

"""Errors of installing and uninstalling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import HostError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class FileAccessError(HostError, OSError):
    """A file cannot be read, written or removed. All files are as they were.

    Attributes:
        path: The file or folder.
    """

    def __init__(self, host: str, path: Path, reason: str) -> None:
        super().__init__(
            host,
            f"{path}: {reason}",
            remedy="Check the permissions of its folder and the free disk space, and try again.",
        )
        self.path = path


class ChangedFileError(HostError):
    """Files in the way were changed by hand, or are not Stemdock's. Nothing was installed.

    Attributes:
        paths: The files.
    """

    def __init__(self, host: str, paths: Sequence[Path]) -> None:
        names = ", ".join(map(str, paths))
        if len(paths) == 1:
            reason, them = "this file was changed, or does not belong to Stemdock", "it"
        else:
            reason, them = "these files were changed, or do not belong to Stemdock", "them"
        super().__init__(
            host,
            f"{reason}: {names}",
            remedy=f"Move {them} to another folder, and run the command again.",
        )
        self.paths = tuple(paths)


class ChangedMeanwhileError(HostError):
    """Another program changed a file during the installation. All files are as that program left them.

    Attributes:
        path: The file.
    """

    def __init__(self, host: str, path: Path) -> None:
        super().__init__(
            host,
            f"another program changed {path} at the same time",
            remedy="Close the editor, and run the command again.",
        )
        self.path = path


class RecordError(HostError):
    """The record of the installation is damaged, or cannot be read.

    Attributes:
        path: The record.
    """

    def __init__(self, host: str, path: Path, reason: str) -> None:
        super().__init__(
            host,
            f"{path} cannot be read ({reason})",
            remedy="Move this file to another folder, and run the command again.",
        )
        self.path = path


class RecordVersionError(HostError):
    """A newer Stemdock made the installation.

    Attributes:
        path: The record.
    """

    def __init__(self, host: str, path: Path) -> None:
        super().__init__(
            host,
            f"{path} was written by a newer Stemdock",
            remedy="Use the newer Stemdock, or update this one.",
        )
        self.path = path

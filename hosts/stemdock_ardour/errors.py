"""Errors of the connection between Stemdock and Ardour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import HostError, HostUnreachableError

if TYPE_CHECKING:
    from pathlib import Path

HOST = "ardour"
SEPARATE_ELSEWHERE = "Run plugin-cli separate, and import the stems into Ardour."


class ArdourNotFoundError(HostUnreachableError):
    """This user has no Ardour, or has never started it."""

    def __init__(self) -> None:
        super().__init__(
            HOST,
            "no folder with Ardour's settings was found",
            remedy="Start Ardour 7 or newer once, close it, and run the command again.",
        )


class ArdourSystemError(HostError):
    """This system is Windows, where the scripts cannot start Stemdock."""

    def __init__(self) -> None:
        super().__init__(HOST, "the actions do not work on Windows", remedy=SEPARATE_ELSEWHERE)


class ArdourRunningError(HostError):
    """Ardour is running, and would undo the change."""

    def __init__(self) -> None:
        super().__init__(
            HOST,
            "Ardour is running, and overwrites its list of scripts",
            remedy="Close Ardour and run the command again.",
        )


class ScriptListError(HostError):
    """Ardour's list of scripts has a form that Stemdock does not know, or no free button.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        super().__init__(HOST, f"{path}: {reason}", remedy=remedy)
        self.path = path


class RequestError(HostError):
    """The script's request cannot be read, or the answer cannot be written.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(HOST, f"{path}: {reason}", remedy="Start the action in Ardour again.")
        self.path = path

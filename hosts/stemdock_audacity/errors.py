"""Errors of the connection between Stemdock and Audacity."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from stemdock import HostError, HostUnreachableError, StemdockError

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_hostkit.job.states import Fault

HOST = "audacity"
_FOLDER_VARIABLE: Final = "XDG_STATE_HOME" if sys.platform == "linux" else "TMPDIR"
"""Environment variable that chooses the folder for requests where the usual one cannot be used."""


BRING_IN: Final = "To add them, choose Tools > Stemdock > Stem Status > Bring in finished stems"


class NotRunningError(HostUnreachableError):
    """Audacity is not running."""

    def __init__(self) -> None:
        super().__init__(HOST, "Audacity is not running", remedy="Start it with: plugin-cli audacity launch")


class ModuleOffError(HostUnreachableError):
    """Audacity is running without its scripting pipe."""

    def __init__(self) -> None:
        super().__init__(
            HOST,
            "Audacity is running, but its module mod-script-pipe is not",
            remedy="Close Audacity, run `plugin-cli audacity install`, and start Audacity again. "
            "If Stemdock is already installed, restart Audacity.",
        )


class NoPipeError(HostUnreachableError):
    """This version of Audacity has no scripting pipe."""

    def __init__(self, version: str) -> None:
        super().__init__(
            HOST,
            f"Audacity {version} has no mod-script-pipe",
            remedy="In Audacity 4, choose Effect > Extension > Stemdock > Separate stems. If it is not "
            "there, close Audacity and run `plugin-cli audacity install`.",
        )


class BusyError(HostUnreachableError):
    """Audacity or its pipe is busy."""

    def __init__(self, reason: str) -> None:
        super().__init__(HOST, reason, remedy="Wait until it has finished and try again.")


class DialogOpenError(HostUnreachableError):
    """Audacity is idle and does not answer: a dialog is waiting for the user."""

    def __init__(self) -> None:
        super().__init__(
            HOST,
            "Audacity does not answer; a dialog is probably open in it",
            remedy="Close the dialog and try again.",
        )


class ConnectionLostError(HostUnreachableError):
    """Audacity closed during a command."""

    def __init__(self) -> None:
        super().__init__(HOST, "Audacity closed the connection", remedy="Start Audacity and try again.")


class ForeignPipeError(HostUnreachableError):
    """What has the name of Audacity's pipe was not made by an Audacity of this user.

    Attributes:
        path: What has the name.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(
            HOST,
            f"{path} is not a pipe of your Audacity; another user or program made it",
            remedy="Remove it, or ask an administrator to remove it. Then restart Audacity.",
        )
        self.path = path


class ReplyTooLongError(HostUnreachableError):
    """The answer has no end."""

    def __init__(self) -> None:
        super().__init__(
            HOST, "Audacity's answer has no end", remedy="Close Audacity, start it again and try again."
        )


class QueueFolderError(HostError):
    """The folder for requests cannot be used.

    Attributes:
        folder: The folder; None if there is none.
    """

    def __init__(self, folder: Path | None, reason: str) -> None:
        super().__init__(
            HOST,
            f"{folder or 'the folder for requests'}: {reason}",
            remedy=f"Set {_FOLDER_VARIABLE} to a folder whose path is plain ASCII and that only you can "
            "write to. Then run: plugin-cli audacity install",
        )
        self.folder = folder


class ReplyError(HostError):
    """A reply or file from Audacity could not be understood.

    Attributes:
        reply: The text.
    """

    def __init__(self, reason: str, reply: str) -> None:
        super().__init__(HOST, reason, remedy="Try again. If it fails again, run: plugin-cli audacity doctor")
        self.reply = reply


class CommandFailedError(HostError):
    """Audacity understood a command and failed to carry it out.

    Attributes:
        command: The command.
        reply: Audacity's reply.
    """

    def __init__(self, command: str, reply: str) -> None:
        said = " ".join(reply.split())
        super().__init__(
            HOST,
            f"Audacity's command {command.partition(':')[0]} failed" + (f" ({said})" if said else ""),
            remedy="Look for a message in Audacity and try again.",
        )
        self.command = command
        self.reply = reply


class SeparationError(StemdockError):
    """The worker could not separate.

    Attributes:
        fault: Why.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message, remedy=fault.remedy)
        self.fault = fault


class DeliveryError(HostError):
    """The song is separated, but the stems could not be imported.

    Attributes:
        project: The .aup project beside the stems that imports them.
    """

    def __init__(self, reason: str, project: Path) -> None:
        super().__init__(
            HOST,
            f"{reason}; the stems are kept in {project.parent}",
            remedy=f"{BRING_IN} in Audacity, or there File > Import > Audio and open {project}",
        )
        self.project = project


class OtherProjectError(DeliveryError):
    """The project in front has none of the tracks that the request's project had."""

    def __init__(self, project: Path) -> None:
        super().__init__("the project with the original track is not in front", project)


class InstallError(HostError):
    """Installing or uninstalling failed."""

    def __init__(self, reason: str, *, remedy: str) -> None:
        super().__init__(HOST, reason, remedy=remedy)


class RunningError(InstallError):
    """Audacity is running, and would overwrite its settings when it closes."""

    def __init__(self) -> None:
        super().__init__(
            "Audacity is running, and overwrites its settings when it closes",
            remedy="Close Audacity and try again.",
        )


class NoLibraryError(InstallError):
    """This Stemdock has no library for Audacity 4."""

    def __init__(self) -> None:
        super().__init__(
            "this Stemdock was built without its library for Audacity 4, or has none for this system",
            remedy="In a clone of Stemdock, run `STEMDOCK_LIBRARIES=build pip install .` and try again. "
            "Until then, run `plugin-cli separate` and import the stems.",
        )


class SandboxError(InstallError):
    """An Audacity is a Flatpak, which cannot start Stemdock."""

    def __init__(self) -> None:
        super().__init__(
            "this is the Flatpak, which is not allowed to start Stemdock",
            remedy="Install Audacity 4 from audacityteam.org or from your distribution.",
        )


class ExtensionInUseError(InstallError):
    """Audacity is running, and may use the extension."""

    def __init__(self) -> None:
        super().__init__(
            "Audacity is running, and may use the extension that has to be removed",
            remedy="Close Audacity and try again.",
        )

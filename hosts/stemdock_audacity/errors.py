"""What can go wrong between Stemdock and Audacity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import HostError, HostUnreachableError

if TYPE_CHECKING:
    from pathlib import Path

HOST = "audacity"


class NotRunningError(HostUnreachableError):
    """No Audacity runs."""

    def __init__(self) -> None:
        super().__init__(HOST, "Audacity is not running", remedy="Start it: plugin-cli audacity launch.")


class ModuleOffError(HostUnreachableError):
    """Audacity runs without its scripting pipe."""

    def __init__(self) -> None:
        super().__init__(
            HOST,
            "Audacity is running, but its mod-script-pipe is not",
            remedy="Close Audacity, run `plugin-cli audacity install` and start it again; "
            "if that was done already, just start it once more.",
        )


class NoPipeError(HostUnreachableError):
    """This Audacity has no scripting pipe at all."""

    def __init__(self, version: str) -> None:
        super().__init__(
            HOST,
            f"Audacity {version} has no mod-script-pipe",
            remedy="Use Audacity 3, or export the song, run `plugin-cli separate` and import the stems.",
        )


class BusyError(HostUnreachableError):
    """Audacity or its pipe is occupied; waiting may help."""

    def __init__(self, reason: str) -> None:
        super().__init__(HOST, reason, remedy="Wait until it is done and try again.")


class DialogOpenError(HostUnreachableError):
    """Audacity idles and does not answer: a dialog waits for the person."""

    def __init__(self) -> None:
        super().__init__(
            HOST,
            "Audacity does not answer; a dialog is probably open in it",
            remedy="Close the dialog and try again.",
        )


class ConnectionLostError(HostUnreachableError):
    """Audacity ended in the middle of a conversation."""

    def __init__(self) -> None:
        super().__init__(HOST, "Audacity closed the connection", remedy="Start Audacity and try again.")


class ReplyError(HostError):
    """Audacity answered what no Audacity should.

    Attributes:
        reply: The answer.
    """

    def __init__(self, reason: str, reply: str) -> None:
        super().__init__(HOST, reason, remedy="Run `plugin-cli audacity doctor`.")
        self.reply = reply


class CommandFailedError(HostError):
    """Audacity understood a command and could not carry it out.

    Attributes:
        command: The command.
        reply: What Audacity said.
    """

    def __init__(self, command: str, reply: str) -> None:
        said = " ".join(reply.split())
        super().__init__(
            HOST,
            f"{command.partition(':')[0]} failed" + (f" ({said})" if said else ""),
            remedy="Look for a message in Audacity and try again.",
        )
        self.command = command
        self.reply = reply


class DeliveryError(HostError):
    """The stems are made but could not be brought into the project.

    Attributes:
        project: The .aup beside them that puts them in place.
    """

    def __init__(self, reason: str, project: Path) -> None:
        super().__init__(
            HOST,
            f"{reason}; the stems are kept in {project.parent}",
            remedy=f"File > Import > Audio of {project} puts them in place",
        )
        self.project = project


class OtherProjectError(DeliveryError):
    """The project that is in front has none of the tracks that the request's had."""

    def __init__(self, project: Path) -> None:
        super().__init__("the project with the original is not in front", project)


class InstallError(HostError):
    """Something cannot be installed or removed."""

    def __init__(self, reason: str, *, remedy: str) -> None:
        super().__init__(HOST, reason, remedy=remedy)


class RunningError(InstallError):
    """Audacity runs, and would overwrite its settings at exit."""

    def __init__(self) -> None:
        super().__init__(
            "Audacity is running", remedy="Close it and try again: it writes its settings at exit."
        )

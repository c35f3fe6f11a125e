"""Errors of jobs and of the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock import StemdockError

if TYPE_CHECKING:
    from pathlib import Path

_START_AGAIN: Final = "Start the separation again."


class JobError(StemdockError):
    """A job folder is missing, damaged or not writable.

    Attributes:
        folder: The job folder.
    """

    def __init__(self, folder: Path, reason: str, *, remedy: str = _START_AGAIN) -> None:
        super().__init__(f"{folder}: {reason}", remedy=remedy)
        self.folder = folder


class JobTakenError(JobError):
    """Another worker has started this job."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "another worker has already started this job")


class JobVersionError(JobError):
    """The editor's part speaks another version of the protocol than the worker.

    Attributes:
        version: The version of the job; 0 if it has none.
    """

    def __init__(self, folder: Path, version: int, expected: int, host: str) -> None:
        """The message.

        Args:
            folder: The job folder.
            version: The version of the job.
            expected: The worker's own version.
            host: The name that the editor gave; empty if it gave none.
        """
        editor = host or "the editor"
        if version < expected:
            reason = f"Stemdock's part in {editor} is older than this Stemdock"
        else:
            reason = f"this Stemdock is older than its part in {editor}"
        super().__init__(
            folder,
            f"{reason} (protocol {version} instead of {expected})",
            remedy=f"Close {editor}, and run in a terminal: plugin-cli {host.lower() or 'HOST'} install",
        )
        self.version = version


class InterruptedJobError(JobError):
    """The worker ended before the job was done."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "the separation was interrupted, because its process was ended")


class UnansweredError(JobError):
    """Nobody said whether the model may be downloaded."""

    def __init__(self, folder: Path) -> None:
        remedy = "Start the separation again, and allow the download."
        super().__init__(folder, "nobody answered whether the model may be downloaded", remedy=remedy)


class WorkerError(StemdockError):
    """The worker does not start.

    Attributes:
        log: The file with its messages.
    """

    def __init__(self, log: Path) -> None:
        super().__init__(
            f"Stemdock's worker does not start; its messages are in {log}",
            remedy="Run in a terminal: plugin-cli doctor",
        )
        self.log = log

"""One request and how far it has come, in a folder of its own."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from stemdock import parse_json_as, printable, write_atomically
from stemdock_audacity.request import request_from_json

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_audacity.request import Request

State = Literal["queued", "separating", "delivering", "failed"]

_PID_LIMIT: Final = 1 << 31


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """The progress of an unfinished job; a finished job is removed."""

    state: State
    title: str
    share: float = 0.0
    """Finished share of the separation, 0 to 1."""
    message: str = ""
    worker: int = 0
    """Process id."""
    audacity: int = 0
    """Process id of the Audacity that sent the request; 0 if unknown."""

    def __post_init__(self) -> None:
        """Checks the ranges.

        Raises:
            ValueError: A number is out of its range.
        """
        if not (0 <= self.share <= 1 and 0 <= self.worker < _PID_LIMIT and 0 <= self.audacity < _PID_LIMIT):
            raise ValueError("a share or the number of a process is out of range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The folder of one request."""

    folder: Path

    @property
    def id(self) -> str:
        """The name to give to `plugin-cli audacity cancel`."""
        return self.folder.name

    @property
    def project(self) -> Path:
        """The .aup project that imports the stems."""
        return self.folder / "stems.aup"

    def request(self) -> Request:
        """Reads the request.

        Raises:
            ReplyError: The file is damaged.
            OSError: The file is missing.
        """
        return request_from_json((self.folder / "request.json").read_bytes())

    def state(self) -> JobState | None:
        """Reads the state; None if the job has just finished or its file is invalid."""
        try:
            return parse_json_as(JobState, (self.folder / "state.json").read_bytes())
        except (OSError, ValueError):
            return None

    def update(self, state: JobState) -> None:
        """Writes the state."""
        # Only one process writes. The next write replaces what a killed one left.
        content = json.dumps(asdict(state)).encode()
        write_atomically(self.folder / "state.json", content, part=self.folder / "state.part")

    def cancel(self) -> None:
        """Asks the worker to stop this job."""
        with suppress(FileNotFoundError):
            (self.folder / "cancel").touch()

    @property
    def is_cancelled(self) -> bool:
        """Whether the job is to stop."""
        return (self.folder / "cancel").exists()

    def remove(self) -> None:
        """Deletes the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def describe(state: JobState) -> str:
    """A job's state in words."""
    words = {
        "queued": "waiting",
        "separating": f"separating, {state.share:.0%}",
        "delivering": "importing the stems into Audacity",
        "failed": f"failed: {state.message}",
    }
    note = f" ({state.message})" if state.message and state.state != "failed" else ""
    return printable(f"{state.title}: {words[state.state]}{note}")


def failed(state: JobState, message: str) -> JobState:
    """The same job in the state "failed"."""
    return replace(state, state="failed", message=message)

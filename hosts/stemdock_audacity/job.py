"""One request and how far it has come, in a folder of its own."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from stemdock import parse_json, write_atomically
from stemdock_audacity.request import request_from_json

if TYPE_CHECKING:
    from collections.abc import Mapping
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
            values = parse_json((self.folder / "state.json").read_text("utf-8"))
            return JobState(**values) if _is_valid(asdict(JobState(**values))) else None
        except (OSError, ValueError, TypeError):
            return None

    def update(self, state: JobState) -> None:
        """Writes the state."""
        write_atomically(self.folder / "state.json", json.dumps(asdict(state)).encode())

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
    return f"{state.title}: {words[state.state]}{note}"


def failed(state: JobState, message: str) -> JobState:
    """The same job in the state "failed"."""
    return replace(state, state="failed", message=message)


def _is_valid(values: Mapping[str, Any]) -> bool:
    """Whether the values of a state, which come from a file, have valid types and ranges."""
    return (
        values["state"] in get_args(State)
        and isinstance(values["title"], str)
        and isinstance(values["message"], str)
        and isinstance(values["share"], float | int)
        and 0 <= values["share"] <= 1
        and all(type(values[key]) is int and 0 <= values[key] < _PID_LIMIT for key in ("worker", "audacity"))
    )

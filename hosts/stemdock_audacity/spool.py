"""The folder in which requests wait, are worked on, and leave what could not be delivered.

inbox/          what the plug-in in Audacity writes and reads; fixed names, one request at a time
jobs/ID/        one request: request.json, state.json, cancel, audio, stems, stems.aup
recent.txt      outcomes of the last requests
status.txt      what the plug-in shows
worker.lock     held by the worker, window.lock by its window
"""

from __future__ import annotations

import getpass
import json
import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from stemdock import parse_json
from stemdock_audacity.request import request_from_json, request_to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stemdock_audacity.request import Request

State = Literal["queued", "separating", "delivering", "failed"]

_N_RECENT: Final = 20
_PID_LIMIT: Final = 1 << 31
_KEEP_TIME: Final = 7 * 24 * 3600
"""Seconds for which undelivered stems are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """How far a request has come; one that is done has no state any more."""

    state: State
    title: str
    share: float = 0.0
    """Share of the separation that is done."""
    message: str = ""
    worker: int = 0
    """Process id."""
    audacity: int = 0
    """Process id of the Audacity that asked; 0 if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One request's folder."""

    folder: Path

    @property
    def id(self) -> str:
        """What people type to cancel it."""
        return self.folder.name

    @property
    def project(self) -> Path:
        """The .aup that brings the stems in."""
        return self.folder / "stems.aup"

    def request(self) -> Request:
        """What was asked for.

        Raises:
            ReplyError: The file is damaged.
            OSError: It is gone.
        """
        return request_from_json((self.folder / "request.json").read_bytes())

    def state(self) -> JobState | None:
        """None if it has just been finished, or is not to be understood."""
        try:
            values = parse_json((self.folder / "state.json").read_text("utf-8"))
            return JobState(**values) if _is_sound(asdict(JobState(**values))) else None
        except (OSError, ValueError, TypeError):
            return None

    def update(self, state: JobState) -> None:
        """Notes how far it has come."""
        part = self.folder / f"state.{os.getpid()}"
        part.write_text(json.dumps(asdict(state)), "utf-8")
        part.replace(self.folder / "state.json")

    def cancel(self) -> None:
        """Asks the worker to stop it."""
        with suppress(FileNotFoundError):
            (self.folder / "cancel").touch()

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody asked that."""
        return (self.folder / "cancel").exists()

    def remove(self) -> None:
        """Deletes the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """The whole folder."""

    folder: Path

    @property
    def inbox(self) -> Path:
        """Where the plug-in writes."""
        return self.folder / "inbox"

    def prepare(self) -> None:
        """Makes the folders, readable by their owner only."""
        for path in (self.folder, self.inbox, self.folder / "jobs"):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def jobs(self) -> list[Job]:
        """Unfinished and failed requests, the oldest first."""
        return [Job(folder=path) for path in sorted((self.folder / "jobs").glob("*-*")) if path.is_dir()]

    def add(self, request: Request, inbox: Path, state: JobState) -> Job:
        """Turns captured files into a job.

        Args:
            request: What to do with them.
            inbox: Their folder, on the same disk; they are moved.
            state: "queued" for the worker to take it up.
        """
        making = Path(tempfile.mkdtemp(prefix=".", dir=self.folder / "jobs"))
        for track in request.tracks:
            name = f"track-{track.index + 1}.wav"
            (inbox / name).replace(making / name)
        (making / "request.json").write_text(request_to_json(request), "utf-8")
        Job(folder=making).update(state)
        # A worker sees it from here on, complete.
        folder = making.with_name(f"{time.strftime('%m%d-%H%M%S')}-{time.time_ns() // 1000 % 1000000:06}")
        return Job(folder=making.rename(folder))

    def note_outcome(self, text: str) -> None:
        """Adds a line to the list of recent outcomes."""
        lines = [*self.recent(), f"{time.strftime('%H:%M:%S')} {' '.join(text.split())}"]
        (self.folder / "recent.txt").write_text("\n".join(lines[-_N_RECENT:]) + "\n", "utf-8")

    def recent(self) -> list[str]:
        """Recent outcomes, the latest last."""
        try:
            return (self.folder / "recent.txt").read_text("utf-8").splitlines()
        except OSError:
            return []

    def forget_old(self) -> None:
        """Deletes failed jobs whose stems nobody fetched, and half-made ones."""
        for path in (self.folder / "jobs").iterdir():
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _KEEP_TIME:
                    shutil.rmtree(path)

    def take_cancel_all(self) -> None:
        """Obeys the plug-in's wish to cancel everything."""
        wish = self.inbox / "cancel.txt"
        if wish.exists():
            wish.unlink(missing_ok=True)
            for job in self.jobs():
                job.cancel()

    def write_status(self) -> None:
        """Rewrites what the plug-in shows."""
        part = self.folder / "status.part"
        part.write_text("".join(f"{line}\n" for line in self.status_lines()), "utf-8")
        part.replace(self.folder / "status.txt")

    def status_lines(self) -> list[str]:
        """Every job in a line."""
        pairs = [(job, job.state()) for job in self.jobs()]
        return [f"{job.id}  {describe(state)}" for job, state in pairs if state]


def _is_sound(values: Mapping[str, Any]) -> bool:
    """Whether the values of a state, which come from a file, are of the kinds and sizes they should be."""
    return (
        values["state"] in get_args(State)
        and isinstance(values["title"], str)
        and isinstance(values["message"], str)
        and isinstance(values["share"], float | int)
        and 0 <= values["share"] <= 1
        and all(type(values[key]) is int and 0 <= values[key] < _PID_LIMIT for key in ("worker", "audacity"))
    )


def describe(state: JobState) -> str:
    """A job's state in words."""
    words = {
        "queued": "waiting",
        "separating": f"separating, {state.share:.0%}",
        "delivering": "bringing the stems into Audacity",
        "failed": f"failed: {state.message}",
    }
    note = f" ({state.message})" if state.message and state.state != "failed" else ""
    return f"{state.title}: {words[state.state]}{note}"


def failed(state: JobState, message: str) -> JobState:
    """The same job, failed."""
    return replace(state, state="failed", message=message)


def default_spool() -> Spool:
    """The user's folder; its path is plain ASCII, which is all that Audacity's commands can carry."""
    candidates = [_state_folder(), Path(tempfile.gettempdir())]
    if sys.platform == "win32":
        candidates.append(Path(os.environ.get("PUBLIC", "C:/Users/Public")))
    user = getpass.getuser().encode().hex()
    names = ["stemdock/audacity", f"stemdock-{user}", f"stemdock-{user}"]
    paths = [base / name for base, name in zip(candidates, names, strict=False)]
    return Spool(folder=next((path for path in paths if str(path).isascii()), paths[0]))


def _state_folder() -> Path:
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData/Local"))
    if sys.platform == "darwin":
        return home / "Library/Application Support"
    return Path(os.environ.get("XDG_STATE_HOME") or home / ".local/state")

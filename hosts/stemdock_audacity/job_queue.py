"""The queue: the folder in which requests wait, are separated, and keep stems that were not imported.

inbox/          written and read by the plug-in in Audacity; fixed names, one request at a time
jobs/ID/        one request: request.json, state.json, cancel, audio, stems, stems.aup
recent.txt      outcomes of the last requests
status.txt      the text that Stem Status shows
worker.lock     held by the worker; window.lock is held by its window, pipe.lock by what is connected
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock import is_private_folder, make_private_folder, printable, reason_for, write_atomically
from stemdock_audacity.errors import QueueFolderError
from stemdock_audacity.job import Job, describe
from stemdock_audacity.request import request_to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stemdock_audacity.job import JobState
    from stemdock_audacity.request import Request

_N_RECENT: Final = 20
_KEEP_TIME: Final = 7 * 24 * 3600
"""Seconds after which stems that were not imported are deleted."""
_THIS_USER_ALONE: Final = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQueue:
    """The whole folder."""

    folder: Path

    @property
    def inbox(self) -> Path:
        """The folder in which the plug-in writes."""
        return self.folder / "inbox"

    def prepare(self) -> None:
        """Creates the folders, which only their owner can enter.

        Raises:
            QueueFolderError: Others can change what is in them, or they cannot be created.
        """
        for path in (self.folder, self.inbox, self.folder / "jobs"):
            try:
                make_private_folder(path)
                path.chmod(_THIS_USER_ALONE)
            except OSError as error:
                raise QueueFolderError(path, reason_for(error)) from error

    def check(self) -> None:
        """Checks that only this user can have written what is in the folder, if it exists.

        Raises:
            QueueFolderError: Others can change what is in it.
        """
        if os.path.lexists(self.folder) and not is_private_folder(self.folder):
            raise QueueFolderError(self.folder, "is not a folder that only you can write to")

    def jobs(self) -> list[Job]:
        """Unfinished and failed jobs, oldest first."""
        return [Job(folder=path) for path in sorted((self.folder / "jobs").glob("*-*")) if path.is_dir()]

    def add(self, request: Request, inbox: Path, state: JobState) -> Job:
        """Makes a job from captured files.

        Args:
            request: What to separate.
            inbox: The folder of the captured files, on the same disk; the files are moved.
            state: "queued" for the worker to start it.
        """
        making = Path(tempfile.mkdtemp(prefix=".", dir=self.folder / "jobs"))
        for track in request.tracks:
            name = f"track-{track.index + 1}.wav"
            (inbox / name).replace(making / name)
        (making / "request.json").write_text(request_to_json(request), "utf-8")
        Job(folder=making).update(state)
        # The worker sees the job from here on, complete.
        folder = making.with_name(f"{time.strftime('%m%d-%H%M%S')}-{time.time_ns() // 1000 % 1000000:06}")
        return Job(folder=making.rename(folder))

    def note_outcome(self, text: str) -> None:
        """Adds a line to the recent outcomes, which only inform: if they cannot be written, work goes on."""
        lines = [*self.recent(), f"{time.strftime('%H:%M:%S')} {printable(' '.join(text.split()))}"]
        with suppress(OSError):
            _write(self.folder / "recent.txt", lines[-_N_RECENT:])

    def recent(self) -> list[str]:
        """Recent outcomes, the latest last."""
        try:
            # A power failure may have left half of a character.
            return (self.folder / "recent.txt").read_text("utf-8", "replace").splitlines()
        except OSError:
            return []

    def forget_old(self) -> None:
        """Deletes failed and incomplete jobs that are more than a week old."""
        for path in (self.folder / "jobs").iterdir():
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _KEEP_TIME:
                    shutil.rmtree(path)

    def take_cancel_all(self) -> None:
        """Cancels every job if the plug-in asked for that."""
        wish = self.inbox / "cancel.txt"
        if wish.exists():
            wish.unlink(missing_ok=True)
            for job in self.jobs():
                job.cancel()

    def write_status(self) -> None:
        """Writes the text that Stem Status shows."""
        with suppress(OSError):  # it only informs
            _write(self.folder / "status.txt", self.status_lines())

    def status_lines(self) -> list[str]:
        """One line for each job."""
        pairs = [(job, job.state()) for job in self.jobs()]
        return [f"{job.id}  {describe(state)}" for job, state in pairs if state]


def _write(path: Path, lines: Sequence[str]) -> None:
    # Only one worker writes. The next write replaces what a killed worker left.
    content = "".join(f"{line}\n" for line in lines).encode()
    write_atomically(path, content, part=path.with_suffix(".part"))


def default_queue() -> JobQueue:
    """The user's queue. Its path is plain ASCII, since Audacity's commands carry no other characters.

    Raises:
        QueueFolderError: There is no such folder, or others can change what is in it.
    """
    folder = next((path for path in _folders() if path.is_absolute() and str(path).isascii()), None)
    if folder is None:
        raise QueueFolderError(None, "Audacity needs a path in plain ASCII, and no folder of yours has one")
    queue = JobQueue(folder=folder)
    queue.check()
    return queue


def _folders() -> Iterator[Path]:
    """Folders for the queue, the best first. Others cannot make any of them before this user does."""
    with suppress(RuntimeError):  # the user has no home
        yield _state_folder() / "stemdock/audacity"
    for parent in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir()):
        with suppress(OSError):
            if parent and is_private_folder(Path(parent)):
                yield Path(parent) / "stemdock-audacity"


def _state_folder() -> Path:
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData/Local"))
    if sys.platform == "darwin":
        return home / "Library/Application Support"
    return Path(os.environ.get("XDG_STATE_HOME") or home / ".local/state")

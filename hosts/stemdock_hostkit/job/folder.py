"""The job folder, through which an editor and the worker communicate.

    job.json        editor   what to separate, and where the stems go; complete as soon as it is there
    claim           worker   created by the one worker that does the job
    progress.jsonl  worker   a line at least every second, from the moment that the worker knows the job
    download        editor   lets the worker download the model, after the state "asking"
    cancel          editor   asks the worker to stop
    result.json     worker   written last, in one step
    *-live.*        worker   samples of the stems, as they are made: see `job.live`
    names.jsonl     worker   files that are about to get their names, to find them after a kill
    log.txt         worker   its output during the job

Conventions:
    Text is UTF-8; the worker escapes characters outside ASCII. Times are in seconds. Each file is written by
    one side, and appears complete, except for the lines of progress.jsonl and log.txt. The folder is for its
    owner only. Whatever an editor needs that others do not is a value in job.json.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stemdock import os_errors_as, parse_json, read_regular_file, reason_for, write_atomically
from stemdock_hostkit.errors import JobError, JobTakenError
from stemdock_hostkit.job.request import PROTOCOL, request_from_values, request_to_values
from stemdock_hostkit.job.states import JobResult, progress_from_values, result_from_values

if TYPE_CHECKING:
    from stemdock_hostkit.job.request import Request
    from stemdock_hostkit.job.states import JobProgress

_OLD: Final = 7 * 24 * 3600
"""Seconds after which an unused job folder is removed."""
_TAIL: Final = 1 << 14
"""Bytes at the end of progress.jsonl that contain the latest line."""
_OWNER_ONLY: Final = 0o700


def new_job_folder(parent: Path) -> Path:
    """Creates an empty job folder, in which an editor can put files that belong to the job.

    Raises:
        JobError: It cannot be created.
    """
    with os_errors_as(lambda reason: JobError(parent, f"cannot be written to ({reason})")):
        parent.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=time.strftime("%m%d-%H%M%S-"), dir=parent))


@dataclass(frozen=True, slots=True)
class Job:
    """A job by its folder."""

    folder: Path

    @property
    def log(self) -> Path:
        """The worker's output during the job."""
        return self.folder / "log.txt"

    def require(self) -> None:
        """Checks that the folder contains a job.

        Raises:
            JobError: The folder does not exist, or contains no job.
        """
        if not self._has("job.json"):
            reason = "contains no job" if self.folder.is_dir() else "no such job folder"
            raise JobError(self.folder, reason, remedy="Choose a folder that contains job.json.")

    def write_request(self, request: Request) -> None:
        """Writes the request, which completes the job.

        Raises:
            JobError: It cannot be written.
        """
        self._write("job.json", request_to_values(request))

    def request(self) -> Request:
        """Reads the request.

        Raises:
            JobVersionError: It has another version of the protocol.
            JobError: It is missing or damaged.
        """
        return request_from_values(self.folder, self._read("job.json"))

    def claim(self) -> None:
        """Claims the job, which only one worker can do, and makes the folder private.

        Raises:
            JobTakenError: Another worker has claimed the job.
            JobError: The folder is missing or read-only.
        """
        try:
            (self.folder / "claim").touch(exist_ok=False)
        except FileExistsError as error:
            raise JobTakenError(self.folder) from error
        except OSError as error:
            raise JobError(self.folder, f"cannot be written ({error.strerror})") from error
        with suppress(OSError):  # scripts in editors cannot set permissions
            self.folder.chmod(_OWNER_ONLY)

    @property
    def is_claimed(self) -> bool:
        """Whether a worker has claimed the job."""
        return self._has("claim")

    def cancel(self) -> None:
        """Asks the worker to stop; without effect if the folder has gone."""
        with suppress(OSError):
            (self.folder / "cancel").touch()

    @property
    def is_cancelled(self) -> bool:
        """Whether the worker is asked to stop; a host that removes the folder wants nothing any more."""
        return self._has("cancel") or not self.folder.is_dir()

    def allow_download(self) -> None:
        """Lets the worker download the model; without effect if the folder has gone."""
        with suppress(OSError):
            (self.folder / "download").touch()

    @property
    def is_download_allowed(self) -> bool:
        """Whether the worker may download the model."""
        return self._has("download")

    def add_progress(self, progress: JobProgress) -> None:
        """Adds a line; without effect if the disk is full, which must not stop a job on another disk."""
        path = self.folder / "progress.jsonl"
        with suppress(OSError), path.open("a", encoding="ascii", newline="\n") as file:
            file.write(json.dumps(progress.to_values()) + "\n")

    def progress(self) -> JobProgress | None:
        """The latest complete line; None if there is none yet."""
        try:
            with (self.folder / "progress.jsonl").open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL))
                end = file.read()
        except OSError:
            return None
        for line in reversed(end.split(b"\n")[:-1]):
            with suppress(ValueError):
                if progress := progress_from_values(parse_json(line)):
                    return progress
        return None

    def write_result(self, result: JobResult) -> None:
        """Writes the last file of the job.

        Raises:
            JobError: It cannot be written.
        """
        version: Any = PROTOCOL
        with suppress(JobError):
            content = self._read("job.json")
            # An editor's part of another version reads no other than its own.
            version = content.get("protocol", PROTOCOL) if isinstance(content, dict) else PROTOCOL
        self._write("result.json", {**result.to_values(), "protocol": version}, durable=True)

    @property
    def is_over(self) -> bool:
        """Whether there is a result."""
        return self._has("result.json")

    def result(self) -> JobResult | None:
        """Reads the result; None if the job is not over.

        Raises:
            JobError: The result is damaged.
        """
        if not self.is_over:
            return None
        try:
            return result_from_values(self._read("result.json"))
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise JobError(self.folder, f"result.json is invalid ({error!r})") from error

    def owns(self, path: Path) -> bool:
        """Whether a file was made for this job only."""
        return path.parent == self.folder

    def remove(self) -> None:
        """Deletes the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _has(self, name: str) -> bool:
        return (self.folder / name).exists()

    def _read(self, name: str) -> Any:
        try:
            return parse_json(read_regular_file(self.folder / name))
        except OSError as error:
            raise JobError(self.folder, f"{name} cannot be read ({reason_for(error)})") from error
        except ValueError as error:
            raise JobError(self.folder, f"{name} is damaged ({error})") from error

    def _write(self, name: str, content: object, *, durable: bool = False) -> None:
        with os_errors_as(lambda reason: JobError(self.folder, f"{name} cannot be written ({reason})")):
            write_atomically(self.folder / name, json.dumps(content).encode("ascii"), durable=durable)


def waiting_jobs(parent: Path) -> list[Job]:
    """Jobs that are complete, unclaimed and not cancelled, oldest first."""
    waiting = []
    for path in parent.glob("*/job.json"):
        # A folder may be removed while the list is read.
        with suppress(OSError):
            if not any(path.with_name(name).exists() for name in ("claim", "cancel", "result.json")):
                waiting.append((path.stat().st_mtime, path.parent))
    return [Job(folder) for _, folder in sorted(waiting)]


def remove_old_jobs(parent: Path) -> int:
    """Removes job folders without changes for a week; returns their number."""
    n_removed = 0
    for folder in parent.glob("*/"):
        with suppress(OSError):
            if time.time() - max(path.stat().st_mtime for path in (folder, *folder.iterdir())) > _OLD:
                shutil.rmtree(folder)
                n_removed += 1
    return n_removed

"""The job folder, through which the script in REAPER and the worker communicate.

    job.json        script      what to separate, and where to write the stems
    progress.jsonl  worker      created first, which claims the job; then at least one line per second
    cancel          script      asks the worker to stop
    result.json     worker      written last, in one step
    log.txt         worker      all output of the worker

Conventions:
    Text is UTF-8; the worker escapes characters outside ASCII. `start` and `duration` are in seconds.
"""

from __future__ import annotations

import json
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stemdock import os_errors_as, parse_json_as, write_atomically
from stemdock_reaper.errors import JobError, JobTakenError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROTOCOL: Final = 1
_OLD: Final = 7 * 24 * 3600
"""Seconds after which an unused job folder is removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A part of a file to separate."""

    id: str
    name: str
    """Name for the user; becomes part of the file names."""
    path: Path
    start: float
    """Seconds into the file."""
    duration: float | None
    """Seconds; None for the rest of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A request of the script."""

    folder: Path
    output_folder: Path
    model: str
    stems: tuple[str, ...]
    """Stems to keep; empty for all."""
    sources: tuple[Source, ...]

    def is_own_file(self, path: Path) -> bool:
        """Whether a file was rendered for this job only."""
        return path.parent == self.folder


def require_job(folder: Path) -> None:
    """Checks that a folder contains a job.

    Raises:
        JobError: The folder does not exist, or contains no job.
    """
    if (folder / "job.json").exists():
        return
    reason = "contains no job" if folder.is_dir() else "no such job folder"
    raise JobError(folder, reason, remedy="Choose a folder that contains job.json.")


def claim_job(folder: Path) -> Path:
    """Claims a job by creating its progress file, which only one worker can do.

    Raises:
        JobTakenError: Another worker has claimed the job.
        JobError: The folder is missing or read-only.
    """
    path = folder / "progress.jsonl"
    try:
        path.touch(exist_ok=False)
    except FileExistsError as error:
        raise JobTakenError(folder) from error
    except OSError as error:
        raise JobError(folder, f"cannot be written ({error.strerror})") from error
    return path


def read_job(folder: Path) -> Job:
    """Reads the request.

    Raises:
        JobError: The request is missing, damaged, or has another protocol version.
    """
    try:
        text = (folder / "job.json").read_bytes()
        protocol = parse_json_as(_Versioned, text, ignore_unknown=True).protocol
        if protocol != PROTOCOL:
            raise JobError(folder, f"the script uses protocol {protocol} instead of {PROTOCOL}")
        return _job(folder, parse_json_as(_Request, text, ignore_unknown=True))
    except OSError as error:
        raise JobError(folder, f"job.json cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise JobError(folder, f"job.json is invalid ({error})") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Versioned:
    """What job.json has in every version of the protocol."""

    protocol: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _RequestedSource:
    """A source in job.json."""

    id: str
    name: str
    path: str
    start: float
    duration: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """The content of job.json."""

    output_dir: str
    model: str
    sources: tuple[_RequestedSource, ...]
    stems: tuple[str, ...] | Mapping[str, str] = ()
    """The script writes an empty list as an object."""


def _job(folder: Path, request: _Request) -> Job:
    if not request.sources or len({source.id for source in request.sources}) != len(request.sources):
        raise ValueError("no sources, or two with the same id")
    if not all((request.output_dir, request.model, *request.stems)):
        raise ValueError("output_dir, model or a stem is empty")
    return Job(
        folder=folder,
        output_folder=Path(request.output_dir),
        model=request.model,
        stems=tuple(request.stems),
        sources=tuple(map(_source, request.sources)),
    )


def _source(source: _RequestedSource) -> Source:
    if not (source.start >= 0 and (source.duration is None or source.duration > 0)):
        raise ValueError("start or duration out of range")
    if not all((source.id, source.name, source.path)):
        raise ValueError("the id, name or path of a source is empty")
    return Source(
        id=source.id,
        name=source.name,
        path=Path(source.path),
        start=source.start,
        duration=source.duration,
    )


def waiting_jobs(parent: Path) -> list[Path]:
    """Job folders that are complete, unclaimed and not cancelled, oldest first."""
    waiting = []
    for path in parent.glob("*/job.json"):
        # A folder may be removed while the list is read.
        with suppress(OSError):
            if not any(path.with_name(name).exists() for name in ("progress.jsonl", "cancel", "result.json")):
                waiting.append((path.stat().st_mtime, path.parent))
    return [folder for _, folder in sorted(waiting)]


def remove_old_jobs(parent: Path) -> int:
    """Removes job folders without changes for a week; returns their number."""
    n_removed = 0
    for folder in parent.glob("*/"):
        with suppress(OSError):
            if time.time() - max(path.stat().st_mtime for path in (folder, *folder.iterdir())) > _OLD:
                shutil.rmtree(folder)
                n_removed += 1
    return n_removed


def write_result(folder: Path, result: Mapping[str, Any]) -> None:
    """Writes the last file of a job in one step, so that the script never reads half of it.

    Raises:
        JobError: The result cannot be written.
    """
    content = json.dumps({"protocol": PROTOCOL, **result}).encode("ascii")
    with os_errors_as(lambda reason: JobError(folder, f"the result cannot be written ({reason})")):
        write_atomically(folder / "result.json", content)

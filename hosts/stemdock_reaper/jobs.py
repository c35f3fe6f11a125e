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

from stemdock import os_errors_as, parse_json, write_atomically
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
        content = parse_json((folder / "job.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise JobError(folder, f"job.json cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise JobError(folder, f"job.json is damaged ({error})") from error
    try:
        return _job(folder, content)
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError) as error:
        raise JobError(folder, f"job.json is invalid ({error!r})") from error


def _job(folder: Path, content: Mapping[str, Any]) -> Job:
    if content["protocol"] != PROTOCOL:
        raise JobError(folder, f"the script uses protocol {content['protocol']} instead of {PROTOCOL}")
    sources = tuple(_source(source) for source in content["sources"])
    if not sources or len({source.id for source in sources}) != len(sources):
        raise ValueError("no sources, or two with the same id")
    return Job(
        folder=folder,
        output_folder=Path(_text(content["output_dir"])),
        model=_text(content["model"]),
        stems=tuple(_text(stem) for stem in content.get("stems", ())),
        sources=sources,
    )


def _source(content: Mapping[str, Any]) -> Source:
    duration = content.get("duration")
    start = float(content["start"])
    if not (start >= 0 and (duration is None or float(duration) > 0)):
        raise ValueError("start or duration out of range")
    return Source(
        id=_text(content["id"]),
        name=_text(content["name"]),
        path=Path(_text(content["path"])),
        start=start,
        duration=None if duration is None else float(duration),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{value!r} is not a text")
    return value


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
        write_atomically(folder / "result.json", content, durable=True)

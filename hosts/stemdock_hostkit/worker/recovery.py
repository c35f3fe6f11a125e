"""Removes what the job of a killed worker left behind."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock import parse_json, remove_abandoned
from stemdock_hostkit.errors import JobError
from stemdock_hostkit.worker.joining import own_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stemdock_hostkit.job.folder import Job

_NAMES: Final = "names.jsonl"


def note_names(job: Job, names: Iterable[tuple[Path, Path]]) -> None:
    """Notes which files are about to get which names. Without effect if the disk is full.

    Args:
        job: The job.
        names: Each file, and its name in the same file system.
    """
    with suppress(OSError), (job.folder / _NAMES).open("a", encoding="ascii") as file:
        for staged, path in names:
            file.write(json.dumps({"path": str(path), "file": _identity(staged)}) + "\n")
        file.flush()
        os.fsync(file.fileno())


def remove_unfinished(job: Job) -> None:
    """Removes unfinished stems, those that have their names already, and the files made for the job only.

    Args:
        job: A job whose worker has ended without a result.
    """
    for path in _named_stems(job):
        with suppress(OSError):
            path.unlink()
    with suppress(JobError):
        request = job.request()
        remove_abandoned(request.output_folder)
        for path in own_files(job, request):
            with suppress(OSError):
                path.unlink()


def _named_stems(job: Job) -> Iterator[Path]:
    """Files under a noted name that are the noted ones: another program may have made one of that name."""
    try:
        lines = (job.folder / _NAMES).read_text("ascii").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        with suppress(OSError, ValueError, TypeError, LookupError):
            noted = parse_json(line)
            path = Path(noted["path"])
            if _identity(path) == noted["file"]:
                yield path


def _identity(path: Path) -> list[int]:
    """What a file keeps when it gets another name. The number alone may be that of a file that has gone."""
    status = path.lstat()
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns]

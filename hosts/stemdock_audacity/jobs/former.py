"""Requests that the version of Stemdock before protocol 2 left in the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock import parse_json_as, try_locked
from stemdock_audacity.capture.request import Request
from stemdock_audacity.jobs.job import AudacityJob, Details, complete_job
from stemdock_hostkit.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FORMER: Final = "request.json"
_LOCK: Final = "worker.lock"
"""Held by the worker of the earlier version."""


def adopt_former(jobs: Path) -> Iterator[tuple[AudacityJob, str]]:
    """Turns what an earlier version left into jobs of this one.

    Args:
        jobs: The parent of the job folders.

    Yields:
        A job that was never finished, and what to tell its user.
    """
    found = sorted(jobs.glob(f"*/{_FORMER}"))
    if not found:
        return
    with try_locked(jobs.with_name(_LOCK)) as is_over:
        if not is_over:
            return  # the earlier version is still at work
    for path in found:
        job = AudacityJob(path.parent)
        try:
            complete_job(job.folder, Details(request=parse_json_as(Request, path.read_bytes())), job.folder)
            path.unlink()
        except (OSError, ValueError, JobError):
            continue  # damaged, or just removed; `remove_old_jobs` takes it after a week
        if job.project.exists():
            yield job, f"an earlier version of Stemdock separated it; the stems are kept in {job.project}"
        else:
            yield job, "an earlier version of Stemdock did not finish it. Start it again in Audacity"

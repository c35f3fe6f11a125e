"""Removes what the job of a killed worker left behind."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from stemdock import remove_abandoned
from stemdock_hostkit.errors import JobError

if TYPE_CHECKING:
    from stemdock_hostkit.job.folder import Job


def remove_unfinished(job: Job) -> None:
    """Removes unfinished stems and the files that were made for the job only.

    Args:
        job: A job whose worker has ended.
    """
    with suppress(JobError):
        request = job.request()
        remove_abandoned(request.output_folder)
        for source in request.sources:
            if job.owns(source.path):
                with suppress(OSError):
                    source.path.unlink()

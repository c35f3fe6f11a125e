"""The side of an editor: hands a job over, and follows it until its result."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from stemdock import CancelledError, OutputError, StemdockError, reason_for
from stemdock_hostkit.errors import JobError, WorkerError
from stemdock_hostkit.job.states import Fault, JobResult
from stemdock_hostkit.worker.places import STATE_VARIABLE, worker_folder
from stemdock_hostkit.worker.queue import Queue
from stemdock_hostkit.worker.starting import ensure_worker, is_worker_running
from stemdock_hostkit.worker.wishes import wish_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from threading import Event

    from stemdock_hostkit.job.folder import Job
    from stemdock_hostkit.job.states import JobProgress

_POLL_TIME: Final = 0.1
_LOOK_EVERY: Final = 1.0
"""Seconds between two checks whether the worker is running."""
_START_EVERY: Final = 10.0
"""Seconds between two attempts to start the worker."""
_START_TIME: Final = 60.0
"""Seconds in which the worker must start; slow computers with a virus scanner need many."""


def submit(job: Job) -> None:
    """Hands a job over to the worker of this user, and starts that if necessary.

    Args:
        job: A complete job.

    Raises:
        JobError: The folder contains no job, or the queue cannot be written.
    """
    job.require()
    try:
        folder = worker_folder()
        Queue(folder).put(job)
        ensure_worker(folder)
    except (OSError, OutputError) as error:
        reason = str(error) if isinstance(error, OutputError) else reason_for(error)
        raise _unstartable(job, reason) from error


def prepare(model: str) -> None:
    """Lets the worker load a model that may be needed soon, if it has nothing else to do; starts the worker.

    Returns at once. Whether the model can be loaded shows when a job needs it.

    Args:
        model: The name of the model.

    Raises:
        OSError: The worker cannot be started.
    """
    folder = worker_folder()
    wish_for(folder, model)
    ensure_worker(folder)


def follow(
    job: Job,
    *,
    on_progress: Callable[[JobProgress], None] | None = None,
    cancel: Event | None = None,
    consent: Event | None = None,
) -> JobResult:
    """Waits for the result of a job that was submitted.

    If the worker is killed meanwhile, another one is started; it reports this job as interrupted and does
    those that wait.

    Args:
        job: The job.
        on_progress: Called with news.
        cancel: Set it from another thread to stop the job.
        consent: Set it from another thread to answer the state "asking": the model may be downloaded. If not
            given, it is downloaded without waiting for an answer.

    Raises:
        JobError: There is no result and will be none, or it is damaged.
        WorkerError: The worker does not start.
    """
    try:
        watch = _WorkerWatch(worker_folder(), job)
    except OSError as error:
        raise _unstartable(job, reason_for(error)) from error
    latest = None
    while True:
        if cancel is not None and cancel.is_set():
            job.cancel()
        progress = job.progress()
        if on_progress and progress and progress != latest:
            on_progress(progress)
        latest = progress
        if progress and progress.state == "asking" and (consent is None or consent.is_set()):
            job.allow_download()
        if result := job.result():
            return result
        try:
            watch.look()
        except StemdockError as error:
            with suppress(JobError):  # others may wait for the result, too
                job.write_result(JobResult(status="error", error=Fault.of(error)))
            raise
        time.sleep(_POLL_TIME)


def run(
    job: Job,
    *,
    on_progress: Callable[[JobProgress], None] | None = None,
    cancel: Event | None = None,
    consent: Event | None = None,
) -> JobResult:
    """Submits a job and waits for its result.

    If this process is asked to end meanwhile, the job is cancelled.

    Args:
        job: A complete job.
        on_progress: As for `follow`.
        cancel: As for `follow`.
        consent: As for `follow`.

    Raises:
        JobError: As `submit` and `follow`.
        WorkerError: As `follow`.
    """
    submit(job)
    try:
        return follow(job, on_progress=on_progress, cancel=cancel, consent=consent)
    except (KeyboardInterrupt, SystemExit, CancelledError):
        job.cancel()
        raise


def _unstartable(job: Job, reason: str) -> JobError:
    remedy = (
        "Check the permissions and the free disk space of your home folder, or set "
        f"{STATE_VARIABLE} to another folder."
    )
    return JobError(job.folder, f"cannot be started ({reason})", remedy=remedy)


class _WorkerWatch:
    """Sees to it that there is a worker as long as a job needs one."""

    def __init__(self, folder: Path, job: Job) -> None:
        self._folder = folder
        self._job = job
        self._next_look = time.monotonic() + _LOOK_EVERY
        self._next_start = time.monotonic() + _START_EVERY
        self._missing_since: float | None = None

    def look(self) -> None:
        """Looks now and then; starts the worker if it has gone."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_EVERY
        is_queued = self._job in Queue(self._folder)
        if is_worker_running(self._folder):
            self._missing_since = None
            if not is_queued and not self._job.is_over:
                raise JobError(self._job.folder, "the worker could not write its result there")
            return
        if self._missing_since is None:
            self._missing_since = now
            self._next_start = now
        if now - self._missing_since > _START_TIME:
            raise WorkerError(self._folder / "log.txt")
        if now >= self._next_start and not self._job.is_over:
            self._next_start = now + _START_EVERY
            Queue(self._folder).put(self._job)
            ensure_worker(self._folder)

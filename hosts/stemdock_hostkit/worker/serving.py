"""The loop of the worker: jobs in order, until there have been none for a while."""

from __future__ import annotations

import threading
import time
import traceback
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Final

from stemdock_hostkit.errors import InterruptedJobError, JobError, JobTakenError
from stemdock_hostkit.job.states import Fault, JobProgress, JobResult
from stemdock_hostkit.worker.models import Models
from stemdock_hostkit.worker.output import output_to
from stemdock_hostkit.worker.recovery import remove_unfinished
from stemdock_hostkit.worker.reporter import Reporter
from stemdock_hostkit.worker.running import run_job
from stemdock_hostkit.worker.wishes import take_wish

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from stemdock_hostkit.job.folder import Job
    from stemdock_hostkit.worker.queue import Queue, Ticket

IDLE_TIME: Final = 60.0
"""Seconds without a job after which the worker ends, and frees the memory of its model."""
_POLL_TIME: Final = 0.1
_WAITING_LINE: Final = JobProgress(state="waiting", text="Waiting for another separation")
_CHECKS_PER_LINE: Final = 8


class Service:
    """Serves the queue."""

    def __init__(self, queue: Queue, models: Models | None = None) -> None:
        """Prepares the service.

        Args:
            queue: The jobs.
            models: Provides the models.
        """
        self._queue = queue
        self._models = models or Models()
        self._stop = threading.Event()
        self._current: Reporter | None = None

    def stop(self) -> None:
        """Ends the service soon; a job that is running is reported as interrupted."""
        self._stop.set()
        if self._current:
            self._current.interrupt()

    def run(self, idle_time: float = IDLE_TIME) -> None:
        """Serves until there has been no job for a while, or until `stop`."""
        self._report_interrupted()
        threading.Thread(target=self._tend_waiting, name="waiting", daemon=True).start()
        last = time.monotonic()
        while not self._stop.is_set() and time.monotonic() - last < idle_time:
            tickets = self._queue.tickets()
            wish = take_wish(self._queue.folder)
            if tickets:
                self._serve(tickets[0])
                # Its model might not be that of the next job.
                take_wish(self._queue.folder)
                last = time.monotonic()
            elif wish:
                self._models.prepare(wish)
                last = time.monotonic()
            else:
                self._stop.wait(_POLL_TIME)

    def _report_interrupted(self) -> None:
        """Gives the jobs of a killed worker their result."""
        for ticket in self._queue.tickets():
            if ticket.job.is_claimed:
                if not ticket.job.is_over:
                    remove_unfinished(ticket.job)
                    _answer(ticket.job, InterruptedJobError(ticket.job.folder))
                ticket.remove()

    def _serve(self, ticket: Ticket) -> None:
        job = ticket.job
        self._current = Reporter(job)
        if self._stop.is_set():
            return
        try:
            with _log_of(job):
                run_job(job, self._models.open, self._current)
        except JobTakenError:
            pass  # cancelled while it waited, or done by another program
        except JobError as error:
            _answer(job, error)
        except Exception:  # noqa: BLE001  it has its result; the next job must still run
            traceback.print_exc()
            self._models.forget()
        finally:
            self._current = None
            ticket.remove()

    def _tend_waiting(self) -> None:
        """Shows the editors of waiting jobs that they are known, and drops jobs that were cancelled."""
        n_checks = 0
        while not self._stop.wait(_POLL_TIME):
            for ticket in self._queue.tickets():
                job = ticket.job
                if job.is_claimed or not self._current:
                    continue
                if job.is_cancelled:
                    with suppress(JobError):
                        job.claim()
                        job.write_result(JobResult(status="cancelled"))
                        ticket.remove()
                elif n_checks % _CHECKS_PER_LINE == 0:
                    job.add_progress(_WAITING_LINE)
            n_checks += 1


def _log_of(job: Job) -> AbstractContextManager[None]:
    try:
        return output_to(job.log)
    except OSError:
        return nullcontext()


def _answer(job: Job, error: JobError) -> None:
    """Leaves the error as the result, if the folder can be written to."""
    with suppress(JobError):
        job.write_result(JobResult(status="error", error=Fault.of(error)))

"""The process that separates queued requests and imports the stems into Audacity.

There is one worker per user. It keeps its model loaded for a while after the last request.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Final

from stemdock import CancelledError, HostError, HostUnreachableError, StemdockError, is_running, try_locked
from stemdock_audacity.errors import DeliveryError, OtherProjectError
from stemdock_audacity.job import failed
from stemdock_audacity.job_queue import default_queue
from stemdock_audacity.launcher import start_detached
from stemdock_audacity.pipe import connect
from stemdock_audacity.preference import restore_preference

if TYPE_CHECKING:
    from stemdock import Separator
    from stemdock_audacity.delivery import Delivery
    from stemdock_audacity.job import Job, JobState
    from stemdock_audacity.job_queue import JobQueue

IDLE_TIME: Final = 60.0
"""Seconds without a request after which the worker ends."""
DELIVERY_TIME: Final = 120.0
"""Seconds for which the import is tried again while Audacity does not answer."""
_RETRY_TIME: Final = 1.0
_POLL_TIME: Final = 0.1


def main() -> None:
    """Runs the worker, unless another one is running."""
    queue = default_queue()
    queue.prepare()
    while True:
        with try_locked(queue.folder / "worker.lock") as is_ours:
            if not is_ours:
                return
            Worker(queue).run()
        # A request may have arrived while this worker was ending and still held the lock.
        if not _waiting(queue):
            return


def _waiting(queue: JobQueue) -> list[Job]:
    pairs = [(job, job.state()) for job in queue.jobs()]
    return [job for job, state in pairs if state and state.state == "queued"]


class Worker:
    """Processes the queue."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self._separators: dict[str, Separator] = {}

    def run(self) -> None:
        """Processes requests until there has been none for a while."""
        self._fail_interrupted()
        self._queue.forget_old()
        last = time.monotonic()
        while time.monotonic() - last < IDLE_TIME:
            self._queue.take_cancel_all()
            jobs = _waiting(self._queue)
            if not jobs:
                time.sleep(_POLL_TIME)
                continue
            start_detached("stemdock_audacity.window")
            self._serve(jobs[0])
            last = time.monotonic()

    def _fail_interrupted(self) -> None:
        """Marks the jobs of a killed worker as failed."""
        for job in self._queue.jobs():
            state = job.state()
            if state and state.state in {"separating", "delivering"}:
                self._fail(job, state, "the separation was interrupted. Start it again in Audacity")
        self._queue.write_status()

    def _serve(self, job: Job) -> None:
        state = job.state()
        if state is None:
            return
        state = replace(state, worker=os.getpid())
        began = time.monotonic()
        try:
            _, note = self.carry_out(job, state)
        except CancelledError:
            job.remove()
            self._queue.note_outcome(f"{state.title}: cancelled")
        except StemdockError as error:
            self._fail(job, state, f"{error}. {error.remedy}")
        except Exception as error:  # noqa: BLE001  the next request must still run
            self._fail(job, state, f"{type(error).__name__}: {error}")
        else:
            job.remove()
            seconds = time.monotonic() - began
            self._queue.note_outcome(
                f"{state.title}: done in {seconds:.1f} s" + (f"; {note}" if note else "")
            )
        self._queue.write_status()

    def _fail(self, job: Job, state: JobState, message: str) -> None:
        job.update(failed(state, message))
        self._queue.note_outcome(f"{state.title}: {message}")
        if not job.project.exists():
            for path in job.folder.rglob("*.wav"):
                path.unlink()

    def carry_out(self, job: Job, state: JobState) -> tuple[list[str], str]:
        """Separates a job and imports its stems.

        Returns:
            Names of the new tracks, and a note for the user, or "".

        Raises:
            StemdockError: Separating or importing failed; the files stay in the job's folder.
            CancelledError: The job was cancelled.
        """
        from stemdock_audacity.delivery import Delivery  # noqa: PLC0415
        from stemdock_audacity.separating import separate_request  # noqa: PLC0415

        cancel = Event()
        request = job.request()

        def show(share: float) -> None:
            self._queue.take_cancel_all()
            if job.is_cancelled:
                cancel.set()
            job.update(replace(state, state="separating", share=share))
            self._queue.write_status()

        show(0.0)
        known = self._known_tracks()
        separator = self._separator(request.model)
        stems = separate_request(separator, request, job.folder, on_progress=show, cancel=cancel)
        delivery = Delivery(request, stems, job.project, known)
        note = self._deliver(job, replace(state, state="delivering", share=1.0), delivery)
        return [stem.name for stem in stems], note

    def _separator(self, model: str) -> Separator:
        from stemdock import Separator  # noqa: PLC0415

        if model not in self._separators:
            self._separators.clear()  # one model at a time, to save memory
            self._separators[model] = Separator(model)
        return self._separators[model]

    def _deliver(self, job: Job, state: JobState, delivery: Delivery) -> str:
        deadline = time.monotonic() + DELIVERY_TIME
        while True:
            job.update(state)
            self._queue.write_status()
            if job.is_cancelled:
                raise CancelledError
            if state.audacity and not is_running(state.audacity):
                raise DeliveryError("Audacity was closed during the separation", job.project)
            try:
                with connect() as pipe:
                    return delivery.attempt(pipe)
            except OtherProjectError:
                if time.monotonic() > deadline:
                    raise
                state = replace(state, message="bring the project with the original track to the front")
            except HostUnreachableError as error:
                if time.monotonic() > deadline:
                    raise DeliveryError(str(error), job.project) from error
                state = replace(state, message=f"{error}. {error.remedy}")
            time.sleep(_RETRY_TIME)

    def _known_tracks(self) -> frozenset[str] | None:
        """Restores the export command and returns the track names; None if Audacity is unreachable."""
        try:
            with connect() as pipe:
                restore_preference(pipe, self._queue.inbox / "preference.txt")
                return frozenset(info.name for info in pipe.tracks())
        except HostError:
            return None


if __name__ == "__main__":
    main()

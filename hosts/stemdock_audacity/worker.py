"""The process that separates queued requests and brings the stems into Audacity.

There is one a user. It keeps its model loaded for a while after the last request.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Final

from stemdock import CancelledError, HostError, HostUnreachableError, StemdockError, is_running
from stemdock_audacity.errors import DeliveryError, OtherProjectError
from stemdock_audacity.launcher import start_detached
from stemdock_audacity.lock import try_lock
from stemdock_audacity.pipe import connect
from stemdock_audacity.preference import mend_preference
from stemdock_audacity.spool import default_spool, failed

if TYPE_CHECKING:
    from stemdock import Separator
    from stemdock_audacity.delivery import Delivery
    from stemdock_audacity.spool import Job, JobState, Spool

IDLE_TIME: Final = 60.0
"""Seconds without a request after which the worker ends."""
DELIVERY_TIME: Final = 120.0
"""Seconds for which an Audacity that does not listen is asked again."""
_RETRY_TIME: Final = 1.0
_POLL_TIME: Final = 0.1


def main() -> None:
    """Entry point: works until there has been nothing to do for a while."""
    spool = default_spool()
    spool.prepare()
    while True:
        with try_lock(spool.folder / "worker.lock") as is_ours:
            if not is_ours:
                return
            Worker(spool).run()
        # A request that arrived in the last moment found the lock taken, and relies on this.
        if not _waiting(spool):
            return


def _waiting(spool: Spool) -> list[Job]:
    pairs = [(job, job.state()) for job in spool.jobs()]
    return [job for job, state in pairs if state and state.state == "queued"]


class Worker:
    """Works through the queue."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._separators: dict[str, Separator] = {}

    def run(self) -> None:
        """Works until there has been nothing to do for a while."""
        self._bury_the_dead()
        self._spool.forget_old()
        last = time.monotonic()
        while time.monotonic() - last < IDLE_TIME:
            self._spool.take_cancel_all()
            jobs = _waiting(self._spool)
            if not jobs:
                time.sleep(_POLL_TIME)
                continue
            start_detached("stemdock_audacity.window")
            self._serve(jobs[0])
            last = time.monotonic()

    def _bury_the_dead(self) -> None:
        """Jobs that a worker left unfinished when it was killed."""
        for job in self._spool.jobs():
            state = job.state()
            if state and state.state in {"separating", "delivering"}:
                self._fail(job, state, "the separation was interrupted. Try again")
        self._spool.write_status()

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
            self._spool.note_outcome(f"{state.title}: cancelled")
        except StemdockError as error:
            self._fail(job, state, f"{error}. {error.remedy}")
        except Exception as error:  # noqa: BLE001  the queue has to go on
            self._fail(job, state, f"{type(error).__name__}: {error}")
        else:
            job.remove()
            seconds = time.monotonic() - began
            self._spool.note_outcome(
                f"{state.title}: done in {seconds:.1f} s" + (f"; {note}" if note else "")
            )
        self._spool.write_status()

    def _fail(self, job: Job, state: JobState, message: str) -> None:
        self._spool.note_outcome(f"{state.title}: {message}")
        job.update(failed(state, message))
        if not job.project.exists():
            for path in job.folder.rglob("*.wav"):
                path.unlink()

    def carry_out(self, job: Job, state: JobState) -> tuple[list[str], str]:
        """Separates a job and delivers its stems.

        Returns:
            Names of the new tracks, and what the person should know besides, or "".

        Raises:
            StemdockError: Whatever went wrong; the job's folder is as the fault left it.
            CancelledError: Somebody cancelled it.
        """
        from stemdock_audacity.delivery import Delivery  # noqa: PLC0415
        from stemdock_audacity.work import separate_request  # noqa: PLC0415

        cancel = Event()
        request = job.request()

        def show(share: float) -> None:
            self._spool.take_cancel_all()
            if job.is_cancelled:
                cancel.set()
            job.update(replace(state, state="separating", share=share))
            self._spool.write_status()

        show(0.0)
        known = self._look_round()
        separator = self._separator(request.model)
        stems = separate_request(separator, request, job.folder, on_progress=show, cancel=cancel)
        delivery = Delivery(request, stems, job.project, known)
        note = self._deliver(job, replace(state, state="delivering", share=1.0), delivery)
        return [stem.name for stem in stems], note

    def _separator(self, model: str) -> Separator:
        from stemdock import Separator  # noqa: PLC0415

        if model not in self._separators:
            self._separators.clear()  # one model fills memory enough
            self._separators[model] = Separator(model)
        return self._separators[model]

    def _deliver(self, job: Job, state: JobState, delivery: Delivery) -> str:
        deadline = time.monotonic() + DELIVERY_TIME
        while True:
            job.update(state)
            self._spool.write_status()
            if job.is_cancelled:
                raise CancelledError
            if state.audacity and not is_running(state.audacity):
                raise DeliveryError("Audacity was closed meanwhile", job.project)
            try:
                with connect() as pipe:
                    return delivery.attempt(pipe)
            except OtherProjectError:
                if time.monotonic() > deadline:
                    raise
                state = replace(state, message="bring the project with the original to the front")
            except HostUnreachableError as error:
                if time.monotonic() > deadline:
                    raise DeliveryError(str(error), job.project) from error
                state = replace(state, message=f"{error}. {error.remedy}")
            time.sleep(_RETRY_TIME)

    def _look_round(self) -> frozenset[str] | None:
        """Sets right what the plug-in could not; returns the names of the tracks, if they can be had."""
        try:
            with connect() as pipe:
                mend_preference(pipe, self._spool.inbox / "preference.txt")
                return frozenset(info.name for info in pipe.tracks())
        except HostError:
            return None


if __name__ == "__main__":
    main()

"""The process that carries a request out: has it separated, and imports the stems into Audacity.

Each request has a courier. It shows the window, and waits for the worker, which separates the jobs of all
editors.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from stemdock import CancelledError, HostError, HostUnreachableError, StemdockError, is_running
from stemdock_audacity.capture.preference import restore_preference
from stemdock_audacity.delivery.importing import Delivery
from stemdock_audacity.delivery.legacy import write_project
from stemdock_audacity.delivery.stem_tracks import stem_tracks
from stemdock_audacity.errors import BRING_IN, DeliveryError, ModuleOffError, OtherProjectError
from stemdock_audacity.jobs.job import NAME, AudacityJob, Phase
from stemdock_audacity.jobs.queue import default_queue
from stemdock_audacity.link.pipe import connect
from stemdock_hostkit import client
from stemdock_hostkit.job.states import Fault
from stemdock_hostkit.window.showing import show
from stemdock_hostkit.window.values import Ending, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stemdock_audacity.jobs.queue import JobQueue
    from stemdock_hostkit.job.states import JobProgress

DELIVERY_TIME: Final = 120.0
"""Seconds for which the import is tried again while Audacity does not answer."""
_RETRY_TIME: Final = 1.0
_LOOK_TIME: Final = 0.2


def main() -> None:
    """Carries out the job that the command line names, and shows it in a window."""
    queue = default_queue()
    job = AudacityJob(Path(sys.argv[1]))
    queue.tidy()
    request = job.kit.request()
    stems = request.stems and (*request.stems, *request.mixes)
    subject = Subject(host=NAME, title=request.title, stems=stems)
    show(Courier(queue, job).serve, subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What came of a job."""

    names: Sequence[str]
    """Of the new tracks."""
    note: str
    """For the user, or ""."""
    is_waiting: bool = False
    """Whether Audacity has no pipe, so that the user has to bring the stems in."""


class Courier:
    """Carries out one job."""

    def __init__(self, queue: JobQueue, job: AudacityJob) -> None:
        self._queue = queue
        self._job = job

    def serve(
        self, report: Callable[[JobProgress], None], cancel: Event, consent: Event | None = None
    ) -> Ending:
        """Carries the job out, and notes its outcome.

        Args:
            report: Shows progress.
            cancel: Set it to cancel the job.
            consent: As in `carry_out`.
        """
        title = self._job.title
        began = time.monotonic()
        over = Event()
        Thread(target=self._tend, args=[over], daemon=True).start()
        try:
            delivered = self.carry_out(report, cancel, consent)
        except CancelledError:
            self._job.kit.remove()
            self._queue.note(title, "cancelled")
            return Ending(kind="cancelled")
        except Exception as error:  # noqa: BLE001  whatever happens, the user is told and the next job runs
            fault = Fault.of(error)
            if not isinstance(error, StemdockError):
                with suppress(OSError), self._job.kit.log.open("a", encoding="utf-8") as log:
                    traceback.print_exc(file=log)
            self._queue.fail(self._job, f"{fault.message}. {fault.remedy}")
            folder = self._job.folder if self._job.project.exists() else None
            log_path = self._job.kit.log if self._job.kit.log.exists() else None
            return Ending(
                kind="failed", text=f"{fault.message}.", next_step=fault.remedy, folder=folder, log=log_path
            )
        else:
            note = delivered.note
            self._queue.note(title, "done", seconds=time.monotonic() - began, message=note)
            if delivered.is_waiting:
                return Ending(kind="done", text="The stems are ready.", next_step=f"{BRING_IN} in Audacity.")
            self._job.kit.remove()
            text = f"{len(delivered.names)} new tracks are in your project."
            remark = f"{note[:1].upper()}{note[1:]}. " if note else ""
            return Ending(
                kind="done", text=text, next_step=f"{remark}To remove them, choose Edit > Undo in Audacity."
            )
        finally:
            over.set()
            self._queue.write_status()

    def carry_out(
        self,
        report: Callable[[JobProgress], None] = lambda _: None,
        cancel: Event | None = None,
        consent: Event | None = None,
    ) -> Delivered:
        """Has the job separated, and imports its stems.

        Args:
            report: Shows progress.
            cancel: Set it to cancel the job.
            consent: Set it to allow the download of a missing model; None allows it at once.

        Raises:
            StemdockError: Separating or importing failed; stems that were made stay in the job's folder.
            CancelledError: The job was cancelled.
        """
        job = self._job
        job.update(Phase(courier=os.getpid()))
        request = job.details().request
        known = self._known_tracks()

        def on_progress(progress: JobProgress) -> None:
            report(progress)
            self._queue.write_status()

        result = client.follow(job.kit, on_progress=on_progress, cancel=cancel, consent=consent)
        if result.status == "cancelled":
            raise CancelledError
        stems = stem_tracks(request, result)
        write_project(job.project, stems, request.project_rate, request.audacity_version)
        names = [stem.name for stem in stems]
        try:
            note = self._deliver(Delivery(request, stems, job.project, known), cancel)
        except ModuleOffError:
            job.update(Phase(phase="ready"))
            return Delivered(names=names, note="the stems are not in the project yet", is_waiting=True)
        return Delivered(names=names, note=note or request.remainder_note)

    def _deliver(self, delivery: Delivery, cancel: Event | None) -> str:
        job = self._job
        message = ""
        audacity = job.details().audacity
        deadline = time.monotonic() + DELIVERY_TIME
        while True:
            job.update(Phase(phase="delivering", courier=os.getpid(), message=message))
            self._queue.write_status()
            if job.kit.is_cancelled or (cancel is not None and cancel.is_set()):
                raise CancelledError
            if audacity and not is_running(audacity):
                raise DeliveryError("Audacity was closed during the separation", job.project)
            if not self._queue.is_next(job):
                deadline = time.monotonic() + DELIVERY_TIME
                time.sleep(_LOOK_TIME)
                continue
            try:
                with connect() as pipe:
                    return delivery.attempt(pipe)
            except OtherProjectError:
                if time.monotonic() > deadline:
                    raise
                message = "bring the project with the original track to the front"
            except ModuleOffError:
                raise
            except HostUnreachableError as error:
                if time.monotonic() > deadline:
                    raise DeliveryError(str(error), job.project) from error
                message = f"{error}. {error.remedy}"
            time.sleep(_RETRY_TIME)

    def _known_tracks(self) -> frozenset[str] | None:
        """Restores the export command and returns the track names; None if Audacity is unreachable."""
        try:
            with connect() as pipe:
                restore_preference(pipe, self._queue.inbox / "preference.txt")
                return frozenset(info.name for info in pipe.tracks())
        except HostError:
            return None

    def _tend(self, over: Event) -> None:
        """Looks for the wish to cancel all jobs."""
        while not over.wait(_LOOK_TIME):
            self._queue.take_cancel_all()


if __name__ == "__main__":
    main()

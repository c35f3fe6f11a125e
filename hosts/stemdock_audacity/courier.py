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
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from stemdock import CancelledError, HostError, StemdockError
from stemdock_audacity.capture.preference import restore_preference
from stemdock_audacity.delivery.delivered import Delivered
from stemdock_audacity.delivery.importing import Delivery
from stemdock_audacity.delivery.project import write_project
from stemdock_audacity.delivery.stem_tracks import stem_tracks
from stemdock_audacity.errors import BRING_IN, ModuleOffError
from stemdock_audacity.jobs.job import NAME, AudacityJob, Phase
from stemdock_audacity.jobs.queue import default_queue
from stemdock_audacity.link.pipe import connect
from stemdock_audacity.transfer import BRINGING_TIME, DELIVERY_TIME, Transfer
from stemdock_hostkit import client
from stemdock_hostkit.job.states import Fault
from stemdock_hostkit.window.showing import show
from stemdock_hostkit.window.values import Ending, Offer, Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from stemdock_audacity.jobs.queue import JobQueue
    from stemdock_hostkit.job.states import JobProgress

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
        over = Event()
        Thread(target=self._tend, args=[over], daemon=True).start()
        try:
            return self._conclude(lambda: self.carry_out(report, cancel, consent))
        except CancelledError:
            title = self._job.title
            self._job.kit.remove()
            self._queue.note(title, "cancelled")
            return Ending(kind="cancelled")
        finally:
            over.set()
            self._queue.write_status()

    def _bring_in_again(self, _: Callable[[JobProgress], None], cancel: Event, __: Event) -> Ending:
        """What the button of the window does. Nothing is lost when this is cancelled."""
        try:
            return self._conclude(lambda: self.bring_in(cancel))
        except CancelledError:
            return self._waiting()
        finally:
            self._queue.write_status()

    def _conclude(self, work: Callable[[], Delivered]) -> Ending:
        title = self._job.title
        began = time.monotonic()
        try:
            delivered = work()
        except CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  whatever happens, the user is told and the next job runs
            return self._failed(error)
        self._queue.note(title, "done", seconds=time.monotonic() - began, message=delivered.note)
        if delivered.is_waiting:
            return self._waiting()
        self._job.kit.remove()
        return delivered.ending()

    def _failed(self, error: Exception) -> Ending:
        fault = Fault.of(error)
        kit = self._job.kit
        if not isinstance(error, StemdockError):
            with suppress(OSError), kit.log.open("a", encoding="utf-8") as log:
                traceback.print_exc(file=log)
        self._queue.fail(self._job, f"{fault.message}. {fault.remedy}")
        has_stems = self._job.project.exists()
        return Ending(
            kind="failed",
            text=f"{fault.message}.",
            next_step=fault.remedy,
            folder=self._job.folder if has_stems else None,
            log=kit.log if kit.log.exists() else None,
            offer=self._offer() if has_stems else None,
        )

    def _waiting(self) -> Ending:
        text = "The stems are ready."
        return Ending(kind="done", text=text, next_step=f"{BRING_IN} in Audacity.", offer=self._offer())

    def _offer(self) -> Offer:
        return Offer(label="Bring into Audacity", text="Bringing the stems in", task=self._bring_in_again)

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
        details = job.details()
        request = details.request
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
        transfer = Transfer(self._queue, job, Delivery(request, stems, job.project, known))
        try:
            placed = transfer.carry_out(cancel, audacity=details.audacity, patience=DELIVERY_TIME)
        except ModuleOffError:
            job.update(Phase(phase="ready"))
            return Delivered(names=names, note="the stems are not in the project yet", is_waiting=True)
        return Delivered(names=names, below=placed.below, note=placed.note or request.remainder_note)

    def bring_in(self, cancel: Event | None = None) -> Delivered:
        """Imports the stems of a job that is over into the project in front, whichever it is.

        Args:
            cancel: Set it to stop; the stems are kept.

        Raises:
            StemdockError: Importing failed; the stems stay in the job's folder.
            CancelledError: It was stopped.
        """
        job = self._job
        former = job.phase()
        request = job.details().request
        result = job.kit.result()
        stems = stem_tracks(request, result) if result else ()
        names = [stem.name for stem in stems]
        if job.is_brought_in:
            return Delivered(names=names, note="they were already in your project")
        transfer = Transfer(self._queue, job, Delivery(request, stems, job.project, None))
        try:
            placed = transfer.carry_out(cancel, patience=BRINGING_TIME)
        except BaseException:
            job.update(former)
            raise
        return Delivered(names=names, below=placed.below, note=placed.note)

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

"""Takes finished stems to Audacity: waits for their turn, and tries until Audacity answers."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from stemdock import CancelledError, HostUnreachableError, is_running
from stemdock_audacity.errors import DeliveryError, ModuleOffError, OtherProjectError
from stemdock_audacity.jobs.job import Phase
from stemdock_audacity.link.pipe import connect

if TYPE_CHECKING:
    from threading import Event

    from stemdock_audacity.delivery.importing import Delivery, Placed
    from stemdock_audacity.jobs.job import AudacityJob
    from stemdock_audacity.jobs.queue import JobQueue

DELIVERY_TIME: Final = 120.0
"""Seconds for which the import is tried again after a separation while Audacity does not answer."""
BRINGING_TIME: Final = 10.0
"""The same where the user has just asked for it."""
_RETRY_TIME: Final = 1.0
_LOOK_TIME: Final = 0.2


class Transfer:
    """The way of one job's stems into Audacity."""

    def __init__(self, queue: JobQueue, job: AudacityJob, delivery: Delivery) -> None:
        self._queue = queue
        self._job = job
        self._delivery = delivery

    def carry_out(self, cancel: Event | None, *, patience: float, audacity: int = 0) -> Placed:
        """Imports the stems.

        Args:
            cancel: Set it to stop.
            patience: Seconds for which it is tried again while Audacity does not answer.
            audacity: Id of the process that the stems are for; 0 for any.

        Raises:
            CancelledError: It was stopped, or the job was cancelled.
            ModuleOffError: Audacity has no pipe.
            DeliveryError: The import failed; the stems are on disk.
        """
        job = self._job
        message = ""
        deadline = time.monotonic() + patience
        while True:
            job.update(Phase(phase="delivering", courier=os.getpid(), message=message))
            self._queue.write_status()
            if job.kit.is_cancelled or (cancel is not None and cancel.is_set()):
                raise CancelledError
            if audacity and not is_running(audacity):
                raise DeliveryError("Audacity was closed during the separation", job.project)
            if not self._queue.is_next(job):
                deadline = time.monotonic() + patience
                time.sleep(_LOOK_TIME)
                continue
            try:
                with connect() as pipe:
                    return self._delivery.attempt(pipe)
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

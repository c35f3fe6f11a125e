"""The process of the worker: `python -m stemdock_hostkit.worker`."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Final

from stemdock import locked
from stemdock_hostkit.worker.output import output_to
from stemdock_hostkit.worker.places import worker_folder
from stemdock_hostkit.worker.queue import Queue
from stemdock_hostkit.worker.serving import Service
from stemdock_hostkit.worker.starting import LOCK

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE: Final = 1.0
"""Seconds to wait for the lock. Processes that look for the worker hold it for a moment."""


class _OtherWorkerError(Exception):
    """Another worker is running."""


def main() -> None:
    """Serves the queue, unless another worker does."""
    folder = worker_folder()
    queue = Queue(folder)
    is_stopped = False

    def stop(*_: object) -> None:
        nonlocal is_stopped
        is_stopped = True
        service.stop()

    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
    while True:
        service = Service(queue)
        try:
            with locked(folder / LOCK, on_wait=_waiting()), output_to(folder / "log.txt", fresh=True):
                service.run()
        except _OtherWorkerError:
            return
        # A job may have arrived while this worker was ending and still held the lock.
        if is_stopped or not queue.tickets():
            return


def _waiting() -> Callable[[], None]:
    deadline = time.monotonic() + _PATIENCE

    def on_wait() -> None:
        if time.monotonic() > deadline:
            raise _OtherWorkerError

    return on_wait


if __name__ == "__main__":
    main()

"""Writes the progress of a job, and watches for the request to cancel it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Self

from stemdock import CancelledError
from stemdock_hostkit.errors import UnansweredError
from stemdock_hostkit.job.states import JobProgress

if TYPE_CHECKING:
    from stemdock_hostkit.job.folder import Job
    from stemdock_hostkit.job.states import State

_CHECK_EVERY: Final = 0.1
"""Seconds between two checks for the cancel file."""
_CHECKS_PER_LINE: Final = 8
"""Number of checks after which a line is written even without news."""
_ANSWER_TIME: Final = 600.0
"""Seconds to wait for an answer; other jobs wait meanwhile, and the editor may have gone."""
_SURE: Final = 0.03
"""Share of the work after which the remaining time can be estimated."""


class Reporter:
    """The progress of one job.

    Attributes:
        cancel: Set when the job is to stop.
        is_interrupted: Whether it is to stop because the worker ends, and not because its user asked.
    """

    def __init__(self, job: Job) -> None:
        self.cancel = threading.Event()
        self.is_interrupted = False
        self._job = job
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._latest = JobProgress(state="loading", text="Starting")
        self._began = time.monotonic()
        self._first = 0.0
        self._thread = threading.Thread(target=self._watch, name="reporter", daemon=True)

    def report(self, state: State, fraction: float, text: str) -> None:
        """Writes a line.

        Args:
            state: What the worker does.
            fraction: Finished share of that, 0 to 1.
            text: The current step, for the user.
        """
        with self._lock:
            if state != self._latest.state:
                self._began, self._first = time.monotonic(), fraction
            remaining = self._remaining(fraction)
            self._latest = JobProgress(state=state, fraction=fraction, text=text, remaining=remaining)
            self._job.add_progress(self._latest)

    def ask(self, question: str) -> None:
        """Waits until the user allows a download.

        Args:
            question: What would be downloaded, with its size and source.

        Raises:
            CancelledError: The user does not want it.
            UnansweredError: There is no answer.
        """
        self.report("asking", 0.0, question)
        deadline = time.monotonic() + _ANSWER_TIME
        while not self.check_cancel():
            if self._job.is_download_allowed:
                return
            if time.monotonic() > deadline:
                raise UnansweredError(self._job.folder)
            self.cancel.wait(_CHECK_EVERY)
        raise CancelledError

    def check_cancel(self) -> bool:
        """Checks for the cancel file now; returns whether the job is to stop."""
        if self._job.is_cancelled:
            self.cancel.set()
        return self.cancel.is_set()

    def interrupt(self) -> None:
        """Stops the job because the worker ends."""
        self.is_interrupted = True
        self.cancel.set()

    def __enter__(self) -> Self:
        with self._lock:
            self._job.add_progress(self._latest)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _remaining(self, fraction: float) -> float | None:
        done = fraction - self._first
        return (time.monotonic() - self._began) * (1 - fraction) / done if done > _SURE else None

    def _watch(self) -> None:
        n_checks = 0
        while not self._done.wait(_CHECK_EVERY):
            self.check_cancel()
            n_checks += 1
            if n_checks % _CHECKS_PER_LINE == 0:
                with self._lock:
                    self._job.add_progress(self._latest)

"""Writes the progress lines by which the script in REAPER sees that the worker is alive."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from pathlib import Path

_CHECK_EVERY: Final = 0.2
"""Seconds between two checks for the cancel file."""
_CHECKS_PER_LINE: Final = 4
"""Number of checks after which a line is written even without news."""


class Heartbeat:
    """A thread that appends to progress.jsonl and watches for the cancel file.

    Attributes:
        cancel: Set when the script asks the worker to stop.
    """

    def __init__(self, progress_path: Path) -> None:
        self._path = progress_path
        self._cancel_path = progress_path.with_name("cancel")
        self.cancel = threading.Event()
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._line = {"fraction": 0.0, "text": "Starting"}
        self._thread = threading.Thread(target=self._watch, name="heartbeat", daemon=True)

    def report(self, fraction: float, text: str) -> None:
        """Writes a progress line.

        Args:
            fraction: Finished share of the job, 0 to 1.
            text: The current step.
        """
        with self._lock:
            self._line = {"fraction": round(min(1.0, max(0.0, fraction)), 4), "text": text}
            self._append()

    def check_cancel(self) -> bool:
        """Checks for the cancel file now; returns whether the job is to stop."""
        if self._cancel_path.exists():
            self.cancel.set()
        return self.cancel.is_set()

    def __enter__(self) -> Self:
        with self._lock:
            self._append()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _append(self) -> None:
        # A full disk must not stop a job that writes its stems to another disk.
        with suppress(OSError), self._path.open("a", encoding="ascii", newline="\n") as file:
            file.write(json.dumps(self._line) + "\n")

    def _watch(self) -> None:
        n_checks = 0
        while not self._done.wait(_CHECK_EVERY):
            self.check_cancel()
            n_checks += 1
            if n_checks % _CHECKS_PER_LINE == 0:
                with self._lock:
                    self._append()

"""The thread that keeps the script informed while the worker is busy."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from pathlib import Path

_LOOK_EVERY: Final = 0.2
"""Seconds between looks for the cancel file."""
_LOOKS_PER_LINE: Final = 4
"""A line appears at least after so many looks, even if there is nothing new to say."""


class Heartbeat:
    """Appends to progress.jsonl, and watches for the cancel file.

    Attributes:
        cancel: Set once the script wants the job to stop.
    """

    def __init__(self, progress_path: Path) -> None:
        self._path = progress_path
        self._cancel_path = progress_path.with_name("cancel")
        self.cancel = threading.Event()
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._line = {"fraction": 0.0, "text": "Starting"}
        self._thread = threading.Thread(target=self._watch, name="heartbeat", daemon=True)

    def tell(self, fraction: float, text: str) -> None:
        """Reports progress.

        Args:
            fraction: Of the whole job, from 0 to 1.
            text: What is being done.
        """
        with self._lock:
            self._line = {"fraction": round(min(1.0, max(0.0, fraction)), 4), "text": text}
            self._append()

    def look(self) -> bool:
        """Looks for the cancel file now; returns whether the job is to stop."""
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
        # A full disk must not end a job that writes its stems to another one.
        with suppress(OSError), self._path.open("a", encoding="ascii", newline="\n") as file:
            file.write(json.dumps(self._line) + "\n")

    def _watch(self) -> None:
        n_looks = 0
        while not self._done.wait(_LOOK_EVERY):
            self.look()
            n_looks += 1
            if n_looks % _LOOKS_PER_LINE == 0:
                with self._lock:
                    self._append()

"""Shows the progress of the worker: a small window, or notifications where Python has no tkinter.

This is a process of its own, so that the worker does not depend on a display. It ends after the last job.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from stemdock import is_running, try_locked
from stemdock_audacity.job import describe
from stemdock_audacity.job_queue import default_queue

if TYPE_CHECKING:
    from types import ModuleType

    from stemdock_audacity.job import JobState
    from stemdock_audacity.job_queue import JobQueue

_PERIOD: Final = 0.2
"""Seconds between two updates."""
_WIDTH: Final = 360
"""Pixels."""


def main() -> None:
    """Shows the jobs until none is left; one window per user."""
    queue = default_queue()
    queue.prepare()
    with try_locked(queue.folder / "window.lock") as is_ours:
        if is_ours:
            try:
                import tkinter as tk  # noqa: PLC0415

                _Window(queue, tk).follow()
            except Exception:  # noqa: BLE001  without tkinter or display, each system raises another error
                _notify_until_done(queue)


def active(queue: JobQueue) -> list[tuple[str, JobState]]:
    """Jobs that are waiting or running, and their states; not those of a worker that has ended."""
    pairs = [(job.id, job.state()) for job in queue.jobs()]
    return [
        (job, state)
        for job, state in pairs
        if state and state.state != "failed" and (not state.worker or is_running(state.worker))
    ]


class _Window:
    """A progress bar, a Cancel button and, at the end, the errors."""

    def __init__(self, queue: JobQueue, tk: ModuleType) -> None:
        from tkinter import ttk  # noqa: PLC0415

        self._queue = queue
        self._n_outcomes = len(queue.recent())
        self._outcomes = queue.recent()
        self._root = tk.Tk(className="Stemdock")
        self._root.title("Stemdock")
        self._root.resizable(width=False, height=False)
        self._root.attributes("-topmost", True)
        self._text = ttk.Label(self._root, wraplength=_WIDTH, width=48)
        self._bar = ttk.Progressbar(self._root, length=_WIDTH, maximum=1.0)
        self._button = ttk.Button(self._root, text="Cancel", command=self._cancel)
        for widget in (self._text, self._bar, self._button):
            widget.pack(padx=12, pady=6)
        self._is_over = False

    def follow(self) -> None:
        """Shows the progress until all jobs are done; stays open only to show errors."""
        self._refresh()
        self._root.mainloop()

    def _refresh(self) -> None:
        jobs = active(self._queue)
        if jobs:
            _, state = max(jobs, key=lambda pair: pair[1].state != "queued")
            more = f"\n{len(jobs) - 1} more waiting" if len(jobs) > 1 else ""
            self._text["text"] = describe(state) + more
            self._bar["value"] = state.share
            self._root.after(int(_PERIOD * 1000), self._refresh)
            return
        faults = _faults(self._queue, self._outcomes)
        if not faults:
            self._root.destroy()
            return
        self._is_over = True
        self._text["text"] = "\n".join(faults)
        self._bar.pack_forget()
        self._button["text"] = "Close"

    def _cancel(self) -> None:
        if self._is_over:
            self._root.destroy()
            return
        for job in self._queue.jobs():
            job.cancel()


def _faults(queue: JobQueue, before: list[str]) -> list[str]:
    """New outcomes that are errors, and jobs whose worker has ended."""
    new = [line for line in queue.recent() if line not in before]
    bad = [line for line in new if not line.endswith(": cancelled") and ": done in " not in line]
    if not bad and any(
        (state := job.state()) and state.worker and state.state != "failed" for job in queue.jobs()
    ):
        bad.append("The separation was interrupted. Start it again in Audacity.")
    return bad


def _notify_until_done(queue: JobQueue) -> None:
    before = queue.recent()
    jobs = active(queue)
    if jobs:
        notify(f"{describe(jobs[0][1])}. To cancel: Tools > Stemdock > Stem Status")
    while active(queue):
        time.sleep(_PERIOD)
    for line in [line for line in queue.recent() if line not in before] or _faults(queue, before):
        notify(line)


def notify(text: str) -> None:
    """Shows a notification if this system has a command for it."""
    command = _notification(text)
    if command:
        subprocess.run(command, check=False, capture_output=True, timeout=30)  # noqa: S603


def _notification(text: str) -> list[str]:
    if sys.platform == "darwin":
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        return ["/usr/bin/osascript", "-e", f'display notification "{quoted}" with title "Stemdock"']
    if sys.platform == "win32":
        # Windows has no other command for this without extra packages; not every edition has msg.exe.
        return ["msg.exe", "*", "/TIME:15", text] if shutil.which("msg.exe") else []
    program = shutil.which("notify-send")
    return [program, "--app-name=Stemdock", "Stemdock", text] if program else []


if __name__ == "__main__":
    main()

"""Shows the person what the worker does: a small window, or notifications where Python has no tkinter.

A process of its own, so that the worker does not depend on a display. It ends when there is nothing
more to show.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from stemdock import is_running
from stemdock_audacity.lock import try_lock
from stemdock_audacity.spool import default_spool, describe

if TYPE_CHECKING:
    from types import ModuleType

    from stemdock_audacity.spool import JobState, Spool

_PERIOD: Final = 0.2
"""Seconds between looks at the jobs."""
_WIDTH: Final = 360
"""Pixels."""


def main() -> None:
    """Entry point: follows the jobs until none is left; there is one window a user."""
    spool = default_spool()
    with try_lock(spool.folder / "window.lock") as is_ours:
        if is_ours:
            try:
                import tkinter as tk  # noqa: PLC0415

                _Window(spool, tk).follow()
            except Exception:  # noqa: BLE001  no tkinter, no display, or a broken one: each in its own words
                _notify_until_done(spool)


def active(spool: Spool) -> list[tuple[str, JobState]]:
    """Ids and states of the jobs that are waiting or worked on; not those of a worker that died."""
    pairs = [(job.id, job.state()) for job in spool.jobs()]
    return [
        (job, state)
        for job, state in pairs
        if state and state.state != "failed" and (not state.worker or is_running(state.worker))
    ]


class _Window:
    """Progress, a button for Cancel, and in the end what went wrong."""

    def __init__(self, spool: Spool, tk: ModuleType) -> None:
        from tkinter import ttk  # noqa: PLC0415

        self._spool = spool
        self._n_outcomes = len(spool.recent())
        self._outcomes = spool.recent()
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
        """Shows until all is done; stays open only to tell a fault."""
        self._refresh()
        self._root.mainloop()

    def _refresh(self) -> None:
        jobs = active(self._spool)
        if jobs:
            _, state = max(jobs, key=lambda pair: pair[1].state != "queued")
            more = f"\n{len(jobs) - 1} more waiting" if len(jobs) > 1 else ""
            self._text["text"] = describe(state) + more
            self._bar["value"] = state.share
            self._root.after(int(_PERIOD * 1000), self._refresh)
            return
        faults = _faults(self._spool, self._outcomes)
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
        for job in self._spool.jobs():
            job.cancel()


def _faults(spool: Spool, before: list[str]) -> list[str]:
    """Bad outcomes that are new, and jobs whose worker died."""
    new = [line for line in spool.recent() if line not in before]
    bad = [line for line in new if not line.endswith(": cancelled") and ": done in " not in line]
    if not bad and any(
        (state := job.state()) and state.worker and state.state != "failed" for job in spool.jobs()
    ):
        bad.append("The separation was interrupted. Try again.")
    return bad


def _notify_until_done(spool: Spool) -> None:
    before = spool.recent()
    jobs = active(spool)
    if jobs:
        notify(f"{describe(jobs[0][1])}. To cancel: Tools > Stemdock > Stem Status")
    while active(spool):
        time.sleep(_PERIOD)
    for line in [line for line in spool.recent() if line not in before] or _faults(spool, before):
        notify(line)


def notify(text: str) -> None:
    """Shows a notification by whatever command this system has; by none, nothing happens."""
    command = _notification(text)
    if command:
        subprocess.run(command, check=False, capture_output=True, timeout=30)  # noqa: S603


def _notification(text: str) -> list[str]:
    if sys.platform == "darwin":
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        return ["/usr/bin/osascript", "-e", f'display notification "{quoted}" with title "Stemdock"']
    if sys.platform == "win32":
        # msg.exe is the one notifier that every Windows session has without a package.
        return ["msg.exe", "*", "/TIME:15", text] if shutil.which("msg.exe") else []
    program = shutil.which("notify-send")
    return [program, "--app-name=Stemdock", "Stemdock", text] if program else []


if __name__ == "__main__":
    main()

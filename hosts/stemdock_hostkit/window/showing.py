"""Shows a task in a window, or with notifications where Python has no tkinter or there is no display."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from stemdock_hostkit.window.notifying import notify
from stemdock_hostkit.window.system import prefers_dark
from stemdock_hostkit.window.theme import DARK, LIGHT
from stemdock_hostkit.window.words import stems_text

if TYPE_CHECKING:
    from stemdock_hostkit.job.states import JobProgress
    from stemdock_hostkit.window.values import Ending, Subject, Task


def show(task: Task, subject: Subject) -> Ending:
    """Does a task, and shows its progress and its ending.

    Args:
        task: The work.
        subject: What the window is about.
    """
    try:
        from stemdock_hostkit.window.view import View  # noqa: PLC0415  not every Python has tkinter

        view = View(subject, DARK if prefers_dark() else LIGHT)
    except Exception:  # noqa: BLE001  without tkinter or display, each system raises another error
        return _notified(task, subject)
    return view.run(task)


def _notified(task: Task, subject: Subject) -> Ending:
    notify(f"{subject.title}: separating. {stems_text(subject.stems, subject.host)}.")
    consent = Event()

    def report(progress: JobProgress) -> None:
        # A notification cannot be answered. Whoever does not want the download cancels in the editor.
        if progress.state == "asking" and not consent.is_set():
            notify(progress.text)
            consent.set()

    ending = task(report, Event(), consent)
    if ending.kind != "cancelled":
        notify(f"{ending.text} {ending.next_step}".strip())
    return ending

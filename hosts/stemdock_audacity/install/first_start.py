"""The first start of Audacity after the plug-in was installed, in which Audacity loses its pipe.

`launch` explains why. So somebody has to start Audacity by `launch` once; here Stemdock does it.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from stemdock import HostUnreachableError, is_running
from stemdock_audacity.errors import InstallError
from stemdock_audacity.install.launch import launch
from stemdock_audacity.link.pipe import connect
from stemdock_audacity.link.processes import has_project_open

QUESTION: Final = "Start Audacity once and close it again, so that its pipe works from now on?"
ADVICE: Final = (
    "IMPORTANT: start Audacity the first time with: plugin-cli audacity launch\n"
    "Otherwise you have to bring the stems in yourself until you restart Audacity."
)
_CLOSING_TIME: Final = 20.0
_CRASH_TIME: Final = 2.0
"""Seconds without a project after which Audacity is stuck; it needs 0.3 to end."""
_LOOK_TIME: Final = 0.1


def start_once(program: Path) -> None:
    """Starts Audacity, waits until it answers, and closes it.

    Told to close over its pipe, Audacity 3.7 closes its project, saves its settings, and then often crashes:
    a change of the undo history is reported to menus that are gone. The report that it then shows is ended.

    Raises:
        InstallError: Audacity closed at once, or does not close.
        HostUnreachableError: Audacity does not answer.
    """
    pid = launch(program)
    with connect() as pipe, suppress(HostUnreachableError):
        pipe.run("Exit", seconds=_CRASH_TIME)  # it closes the pipe before it answers
    began = closed = time.monotonic()
    while is_running(pid):
        now = time.monotonic()
        if has_project_open(pid):
            closed = now
        if now - closed > _CRASH_TIME:
            _end(pid)
        if now - began > _CLOSING_TIME:
            raise InstallError(
                "Audacity was started and does not close; a dialog is probably open in it",
                remedy="Answer the dialog, then close Audacity. After that, its pipe works.",
            )
        time.sleep(_LOOK_TIME)


def _end(pid: int) -> None:
    """Ends an Audacity that has nothing left to save, with the files of its report."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    for folder in Path(tempfile.gettempdir()).glob(f"Audacity_dbgrpt-{pid}-*"):
        shutil.rmtree(folder, ignore_errors=True)

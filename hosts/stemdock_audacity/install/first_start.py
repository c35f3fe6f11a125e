"""The first start of Audacity after the plug-in was installed, in which Audacity loses its pipe.

`launch` explains why. So somebody has to start Audacity by `launch` once; here Stemdock does it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from stemdock import HostUnreachableError, is_running
from stemdock_audacity.errors import InstallError
from stemdock_audacity.install.launch import launch
from stemdock_audacity.link.pipe import connect

if TYPE_CHECKING:
    from pathlib import Path

QUESTION: Final = "Start Audacity once and close it again, so that its pipe works from now on?"
ADVICE: Final = (
    "IMPORTANT: start Audacity the first time with: plugin-cli audacity launch\n"
    "Otherwise you have to bring the stems in yourself until you restart Audacity."
)
_CLOSING_TIME: Final = 20.0
_LOOK_TIME: Final = 0.1


def start_once(program: Path) -> None:
    """Starts Audacity, waits until it answers, and closes it.

    Raises:
        InstallError: Audacity closed at once, or does not close.
        HostUnreachableError: Audacity does not answer.
    """
    pid = launch(program)
    with connect() as pipe, suppress(HostUnreachableError):
        pipe.run("Exit", seconds=_CLOSING_TIME)  # it closes the pipe before it answers
    deadline = time.monotonic() + _CLOSING_TIME
    while is_running(pid):
        if time.monotonic() > deadline:
            raise InstallError(
                "Audacity was started and does not close; a dialog is probably open in it",
                remedy="Answer the dialog, then close Audacity. After that, its pipe works.",
            )
        time.sleep(_LOOK_TIME)

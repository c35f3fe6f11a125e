"""Stopping cleanly after a signal, without exceptions at random places.

The signals are those of Ctrl-C, of `kill`, of the end of the terminal, and of the limit of processor time.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from threading import Event, current_thread, main_thread
from time import monotonic
from typing import TYPE_CHECKING, Final

from stemdock.cli.held_signals import SIGNALS
from stemdock.cli.time_limit import is_repeated

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNAL_STATUS: Final = 128
"""Shells add the signal's number to this: 130 interrupted, 143 terminated, 129 hung up, 152 out of
processor time."""

_PATIENCE: Final = 3.0
"""Seconds for the current segment to end, before a further signal ends the program at once."""


class Interruption:
    """Whether the run has been interrupted.

    Attributes:
        cancel: Set after a signal.
        exit_status: Exit status for this signal; 0 before.
    """

    def __init__(self) -> None:
        self.cancel = Event()
        self.exit_status = 0
        self._deadline = 0.0

    def handle(self, number: int, _: object) -> None:
        """Handles a signal."""
        # A second signal during the first would wait for the event's lock forever.
        if not self.exit_status:
            self.exit_status = _SIGNAL_STATUS + number
            self._deadline = monotonic() + _PATIENCE
            self.cancel.set()
        elif monotonic() > self._deadline and not is_repeated(number):
            # Writing hangs, for example on a network drive that is gone. No code in Python can stop it. The
            # next run removes the hidden folder of unfinished files, as after any other violent end.
            os._exit(self.exit_status)


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Handles the signals until the context ends."""
    state = Interruption()
    if current_thread() is not main_thread():
        # Python allows signal handlers only in the main thread.
        yield state
        return
    # Signals that the parent process ignores, as nohup does, stay ignored.
    handled = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, state.handle) for number in handled}
    try:
        yield state
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

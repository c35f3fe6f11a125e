"""Ctrl-C, SIGTERM and the end of the terminal as a wish to end, rather than an exception at any line."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from threading import Event, current_thread, main_thread
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS: Final = tuple(
    # Windows has no SIGHUP.
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
)
_SIGNAL_STATUS: Final = 128
"""What shells add a signal's number to: 130 interrupted, 143 terminated, 129 hung up."""


class Interruption:
    """Whether the run has been asked to end.

    Attributes:
        cancel: Set if so.
        exit_status: What the process then ends with; 0 before.
    """

    def __init__(self) -> None:
        self.cancel = Event()
        self.exit_status = 0

    def handle(self, number: int, _: object) -> None:
        """Takes a signal in."""
        # A second signal during the first would wait for the event's lock for ever. It can also only want
        # what is happening already: the segment under way ends, and what is unfinished is removed.
        if not self.exit_status:
            self.exit_status = _SIGNAL_STATUS + number
            self.cancel.set()


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Takes the signals in as long as the context lasts."""
    state = Interruption()
    if current_thread() is not main_thread():
        # Only the main thread may, and nobody presses Ctrl-C for another.
        yield state
        return
    # Whoever started this with signals ignored, as nohup does, meant that.
    heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    former = {number: signal.signal(number, state.handle) for number in heeded}
    try:
        yield state
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)

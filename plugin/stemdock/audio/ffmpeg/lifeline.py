"""Ends a child process when this process ends, also when it is killed and cannot do anything any more."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_MEMORY: Final = 4 << 30
"""Bytes of addresses. Decoding needs a few hundred megabytes; a crafted index can need any number."""


class Lifeline:
    """A pipe between this process and a child, which does not use it.

    When its writing end is closed, at the latest with this process, the system kills the child. Only Linux
    has such a signal. On other systems the child ends when it writes to a pipe that nobody reads.

    Attributes:
        descriptors: What the child must inherit.
    """

    def __init__(self) -> None:
        self.descriptors: Sequence[int] = ()
        self._end = -1
        if sys.platform == "linux":
            reading, self._end = os.pipe()
            self.descriptors = (reading,)

    def hold(self, pid: int) -> None:
        """Ties the group of a child that has just been started to this process, and limits its memory."""
        if sys.platform == "linux":
            import fcntl  # noqa: PLC0415  only here
            import resource  # noqa: PLC0415  only here

            (reading,) = self.descriptors
            # The child has ended already, or this system has no such settings.
            with suppress(OSError, ValueError):
                # They belong to the open pipe, and so hold for the child's copy of the descriptor.
                fcntl.fcntl(reading, fcntl.F_SETOWN, -pid)
                fcntl.fcntl(reading, fcntl.F_SETSIG, signal.SIGKILL)
                fcntl.fcntl(reading, fcntl.F_SETFL, fcntl.fcntl(reading, fcntl.F_GETFL) | os.O_ASYNC)
            self._close_reading()
            # It has ended, or the user allows less.
            with suppress(OSError, ValueError):
                resource.prlimit(pid, resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_reading()
        if self._end >= 0:
            os.close(self._end)
            self._end = -1

    def _close_reading(self) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = ()

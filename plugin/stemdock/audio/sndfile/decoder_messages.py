"""What libsndfile's decoder of mp3, mpg123, prints to standard error, in C and in its own words.

It cannot be told to be quiet. So standard error leads into a file while mpg123 works, for a few milliseconds
at a time. What others print in that time is printed afterwards.
"""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from threading import Lock
from typing import IO, TYPE_CHECKING, Final

from stemdock.audio.abandoning import ended_when_abandoned

if TYPE_CHECKING:
    from collections.abc import Iterator

_ERROR: Final = 2
"""The descriptor."""
_MESSAGE: Final = re.compile(
    rb"\n?^(?:\[src/libmpg123/|Note: |Warning: (?:Big|Real|Encountered|Xing)).*(?:\n|\Z)", re.MULTILINE
)
_DAMAGE: Final = re.compile(rb"\[src/libmpg123/layer\d\.c:.* error: ")
_MAX_KEPT: Final = 1 << 20
"""Bytes of messages that are looked at."""
_TURN: Final = Lock()
"""There is only one standard error, and each thread wants to know what its own decoder prints."""
_PATIENCE: Final = 0.05
"""Seconds to wait for another thread, whose reading may hang."""


class DecoderMessages:
    """What the decoder printed.

    Attributes:
        report_damage: Whether it could not decode something.
    """

    report_damage = False


@contextmanager
def decoder_messages() -> Iterator[DecoderMessages]:
    """Keeps the decoder's messages from standard error; what it printed is known when the context ends."""
    messages = DecoderMessages()
    with ExitStack() as resources:
        # Standard error may be closed, and the disk full.
        with suppress(OSError):
            redirection = _Redirection(resources.enter_context(tempfile.TemporaryFile()))
            if redirection.has_begun:
                resources.enter_context(ended_when_abandoned(redirection.end))
                resources.callback(lambda: redirection.report(messages))
                resources.callback(redirection.end)
        yield messages


class _Redirection:
    """Standard error, led into a file.

    Attributes:
        has_begun: Whether it is; another thread may have it.
    """

    def __init__(self, scratch: IO[bytes]) -> None:
        self._scratch = scratch
        self._lock = Lock()
        self._real = -1
        self.has_begun = _TURN.acquire(timeout=_PATIENCE)
        if not self.has_begun:
            return
        try:
            self._real = os.dup(_ERROR)
            os.dup2(scratch.fileno(), _ERROR)
        except OSError:
            self.end()
            raise

    def end(self) -> None:
        """Leads standard error back, if that has not happened yet."""
        with self._lock:
            if not self.has_begun:
                return
            self.has_begun = False
            if self._real >= 0:
                os.dup2(self._real, _ERROR)
                os.close(self._real)
            _TURN.release()

    def report(self, messages: DecoderMessages) -> None:
        """Looks at what was printed, and prints what others printed."""
        size = self._scratch.seek(0, os.SEEK_END)
        if not size:
            return
        self._scratch.seek(0)
        printed = self._scratch.read(_MAX_KEPT)
        messages.report_damage = _DAMAGE.search(printed) is not None
        others = _MESSAGE.sub(b"", printed)
        with suppress(OSError):
            while others:
                others = others[os.write(_ERROR, others) :]

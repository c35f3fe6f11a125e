"""Standard output and standard error of a run that goes on when they are closed, full or no longer read.

Daemons and graphical programs start others without these streams. A batch is worth more than its messages:
it continues without them, and the exit status says that they are lost.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_STANDARD: Final = (0, 1, 2)


class OutputStream:
    """A stream whose writing methods do not raise; everything else is that of the stream inside.

    Attributes:
        error: Why text was lost; None if all of it was written.
    """

    def __init__(self, stream: Any) -> None:
        """Protects a stream.

        Args:
            stream: Text or binary; None if it was closed when the program started.
        """
        self.error: OSError | None = None
        self._stream = stream

    def write(self, content: Any) -> int:
        """Writes text or bytes, or notes why it cannot."""
        return self._tried("write", content) or 0

    def flush(self) -> None:
        """Flushes the stream, or notes why it cannot."""
        if self._stream is not None:
            self._tried("flush")

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream is not None and bool(self._stream.isatty())

    @property
    def buffer(self) -> OutputStream:
        """The binary stream below, protected by this object too."""
        below = OutputStream(None if self._stream is None else self._stream.buffer)
        below._lose = self._lose  # type: ignore[method-assign]
        return below

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _tried(self, method: str, *content: Any) -> Any:
        if self._stream is None:
            self._lose(OSError(errno.EBADF, os.strerror(errno.EBADF)))
            return None
        try:
            return getattr(self._stream, method)(*content)
        except OSError as error:
            self._lose(error)
            return None

    def _lose(self, error: OSError) -> None:
        self.error = self.error or error
        # The rest in the buffer would fail again, at the latest when the interpreter ends.
        with suppress(OSError, ValueError, AttributeError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)


@contextmanager
def protected_streams() -> Iterator[tuple[OutputStream, OutputStream]]:
    """Protects standard output and standard error until the context ends; gives both."""
    before = sys.stdout, sys.stderr
    protected = OutputStream(sys.stdout), OutputStream(sys.stderr)
    sys.stdout, sys.stderr = protected
    try:
        yield protected
    finally:
        for stream in protected:
            stream.flush()
        sys.stdout, sys.stderr = before


def occupy_descriptors() -> None:
    """Opens the standard streams that are closed, so that no other file gets their numbers.

    Libraries and other programs write messages to these numbers, which would end up in that file.
    """
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            # The system gives the lowest free number.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)

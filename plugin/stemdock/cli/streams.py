"""Standard output and standard error of a run: everything that the command line prints passes through here.

The run goes on when a stream is closed, full or no longer read. Daemons and graphical programs start others
without these streams. A batch is worth more than its messages: it continues without them, and the exit
status says that they are lost.

Names of files and tracks, licences and answers of servers come from elsewhere. In what a terminal may show,
escape sequences stand for their control characters, so that no text can control the terminal. Programs that
read standard output get every byte as it is.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager, suppress
from io import UnsupportedOperation
from typing import TYPE_CHECKING, Any, Final

from stemdock.lib.printing import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_STANDARD: Final = (0, 1, 2)
_LAYOUT: Final = "\n\t"
"""Control characters of our own texts, such as tables and help."""


class OutputStream:
    """A stream whose writing methods do not raise; everything else is that of the stream inside.

    Attributes:
        error: Why text was lost; None if all of it was written.
    """

    def __init__(self, stream: Any, *, shown: bool | None = None) -> None:
        """Protects a stream.

        Args:
            stream: Text or binary; None if it was closed when the program started.
            shown: Whether a terminal may show what is written; None if that depends on the stream.
        """
        self.error: OSError | None = None
        self._stream = stream
        self._is_shown = self.isatty() if shown is None else shown

    def write(self, content: Any) -> int:
        """Writes text or bytes, or notes why it cannot."""
        self._tried("write", self._harmless(content))
        return len(content)

    @property
    def drawing(self) -> OutputStream:
        """The same stream for a program's own control sequences, such as those of a progress bar."""
        return self._sharing(self._stream, shown=False)

    def flush(self) -> None:
        """Flushes the stream, or notes why it cannot."""
        if self._stream is not None:
            self._tried("flush")

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream is not None and bool(self._stream.isatty())

    def fileno(self) -> int:
        """The descriptor of the stream.

        Raises:
            OSError: It has none. On Windows, click would write to a console by this number and pass this
                object by.
        """
        if self._stream is None or (sys.platform == "win32" and self._is_shown):
            raise UnsupportedOperation("fileno")
        number: int = self._stream.fileno()
        return number

    @property
    def buffer(self) -> OutputStream:
        """The binary stream below, protected by this object too."""
        return self._sharing(None if self._stream is None else self._stream.buffer, shown=self._is_shown)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _sharing(self, stream: Any, *, shown: bool) -> OutputStream:
        """A protected stream whose losses count as losses of this one."""
        other = OutputStream(stream, shown=shown)
        other._lose = self._lose  # type: ignore[method-assign]
        return other

    def _harmless(self, content: Any) -> Any:
        """The text or bytes without control characters if a terminal may show it."""
        if isinstance(content, str):
            return self._encodable(printable(content, _LAYOUT) if self._is_shown else content)
        if self._is_shown:
            # click encodes texts itself for some settings of the language.
            return printable(bytes(content).decode("utf-8", "surrogateescape"), _LAYOUT).encode()
        return content

    def _encodable(self, text: str) -> str:
        """The text with escape sequences for characters that the stream cannot encode."""
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            text.encode(encoding, getattr(self._stream, "errors", None) or "strict")
        except UnicodeEncodeError:
            return text.encode(encoding, "backslashreplace").decode(encoding)
        return text

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
    protected = OutputStream(sys.stdout), OutputStream(sys.stderr, shown=True)
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

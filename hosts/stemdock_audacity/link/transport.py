"""Bytes to and from Audacity: FIFOs on Linux and macOS, named pipes on Windows.

Audacity opens the pipe for commands first and the pipe for replies second, so this side opens them in
the same order.
"""

from __future__ import annotations

import os
import select
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from stemdock_audacity.errors import ConnectionLostError, ForeignPipeError

if TYPE_CHECKING:
    from io import FileIO


class Transport(Protocol):
    """An open connection."""

    def write(self, line: bytes, deadline: float) -> None:
        """Sends a line, given without its line end, before `deadline` (`time.monotonic` seconds).

        Raises:
            ConnectionLostError: Audacity closed.
            TimeoutError: Audacity does not read.
        """
        ...

    def read(self, deadline: float) -> bytes:
        """Receives some bytes; b"" if none arrive before `deadline`.

        Raises:
            ConnectionLostError: Audacity closed.
        """
        ...

    def close(self) -> None:
        """Closes the connection; Audacity then waits for the next client."""
        ...


if sys.platform == "win32":
    import queue
    import threading

    _MAX_WAITING = 1024
    """Pieces of 4096 bytes that wait to be read; the pipe then waits, too."""

    _LISTENING_TIME = 5.0
    """Seconds in which Audacity listens at the pipe for replies, after the one for commands was opened."""

    class NamedPipes:
        """Named pipes on Windows; they block, so a thread reads."""

        def __init__(self) -> None:
            # Checking whether the pipe exists would use its only instance, so it is opened directly.
            self._to = open(r"\\.\pipe\ToSrvPipe", "wb", buffering=0)  # noqa: PTH123, SIM115
            try:
                self._from = _open_soon(r"\\.\pipe\FromSrvPipe")
            except OSError:
                self._to.close()
                raise
            self._received: queue.Queue[bytes] = queue.Queue(_MAX_WAITING)
            self._is_left = False
            threading.Thread(target=self._receive, daemon=True).start()

        def _receive(self) -> None:
            # Closing a file waits for the end of a read in another thread, so this thread closes it.
            with self._from, suppress(OSError):
                while not self._is_left and (data := self._from.read(4096)):
                    self._received.put(data)
            self._received.put(b"")

        def write(self, line: bytes, deadline: float) -> None:
            """See `Transport.write`; blocks while Audacity does not read."""
            del deadline
            try:
                self._to.write(line + b"\r\n\0")
            except OSError as error:
                raise ConnectionLostError from error

        def read(self, deadline: float) -> bytes:
            """See `Transport.read`."""
            try:
                data = self._received.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return b""
            if not data:
                raise ConnectionLostError
            return data.replace(b"\0", b"")

        def close(self) -> None:
            """See `Transport.close`; the pipe for replies is closed when Audacity ends its side."""
            self._is_left = True
            self._to.close()
            while not self._received.empty():  # else the thread might wait for room
                self._received.get_nowait()

    def _open_soon(name: str) -> FileIO:
        """Opens the pipe for replies.

        After an earlier client, Audacity frees it only when the other pipe has been opened. To give up at
        once would leave Audacity waiting at it, and the other pipe taken.
        """
        deadline = time.monotonic() + _LISTENING_TIME
        while True:
            try:
                return open(name, "rb", buffering=0)  # noqa: PTH123
            except OSError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    def open_transport() -> Transport:
        """Connects.

        Raises:
            OSError: The pipe does not exist.
        """
        return NamedPipes()

else:
    TO_AUDACITY = Path(f"/tmp/audacity_script_pipe.to.{os.getuid()}")  # noqa: S108  Audacity's choice
    FROM_AUDACITY = Path(f"/tmp/audacity_script_pipe.from.{os.getuid()}")  # noqa: S108

    class Fifos:
        """FIFOs on Linux and macOS."""

        def __init__(self) -> None:
            self._to = _open_own(TO_AUDACITY, os.O_WRONLY)
            try:
                self._from = _open_own(FROM_AUDACITY, os.O_RDONLY)
            except OSError:
                os.close(self._to)
                raise
            self._greeted = False

        def write(self, line: bytes, deadline: float) -> None:
            """See `Transport.write`."""
            data = line + b"\n"
            while data:
                if not select.select([], [self._to], [], max(0.0, deadline - time.monotonic()))[1]:
                    raise TimeoutError
                try:
                    data = data[os.write(self._to, data) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError as error:
                    raise ConnectionLostError from error

        def read(self, deadline: float) -> bytes:
            """See `Transport.read`."""
            while True:
                if not select.select([self._from], [], [], max(0.0, deadline - time.monotonic()))[0]:
                    return b""
                data = os.read(self._from, 65536)
                if data:
                    self._greeted = True
                    return data
                # Until Audacity has opened the FIFO, reading from it returns nothing.
                if self._greeted or not self._is_served():
                    raise ConnectionLostError
                time.sleep(0.005)
                if time.monotonic() > deadline:
                    return b""

        def _is_served(self) -> bool:
            poll = select.poll()
            poll.register(self._to, select.POLLOUT)
            return not any(event & select.POLLERR for _, event in poll.poll(0))

        def close(self) -> None:
            """See `Transport.close`."""
            os.close(self._to)
            os.close(self._from)

    def open_transport() -> Transport:
        """Connects.

        Raises:
            ForeignPipeError: Another user or program has made what has the name of the pipe.
            OSError: The pipe does not exist.
        """
        return Fifos()

    def is_own(path: Path) -> bool:
        """Whether a FIFO is this user's. Anyone can make files in the folder of Audacity's pipe.

        Raises:
            OSError: There is nothing at this path.
        """
        return _is_own_fifo(path.lstat())

    def is_read(path: Path) -> bool:
        """Whether a process reads from a FIFO, or waits until somebody opens it for writing."""
        try:
            os.close(_open_own(path, os.O_WRONLY))
        except (OSError, ForeignPipeError):
            return False
        return True

    def _open_own(path: Path, access: int) -> int:
        """Opens a FIFO, if it is this user's."""
        if not is_own(path):  # opening another one would already be seen at its other end
            raise ForeignPipeError(path)
        descriptor = os.open(path, access | os.O_NONBLOCK | os.O_NOFOLLOW)
        if _is_own_fifo(os.fstat(descriptor)):
            return descriptor
        os.close(descriptor)
        raise ForeignPipeError(path)

    def _is_own_fifo(status: os.stat_result) -> bool:
        return stat.S_ISFIFO(status.st_mode) and status.st_uid == os.getuid()

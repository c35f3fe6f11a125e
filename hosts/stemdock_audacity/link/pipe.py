"""The connection to Audacity: one client at a time, a deadline for every command."""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from stemdock import HostUnreachableError, reason_for, try_locked
from stemdock_audacity.errors import (
    BusyError,
    CommandFailedError,
    ForeignPipeError,
    QueueFolderError,
    ReplyTooLongError,
)
from stemdock_audacity.link import protocol, transport
from stemdock_audacity.link.processes import find_audacity, other_clients
from stemdock_audacity.link.unreachable import no_answer_error, no_pipe_error
from stemdock_audacity.profile.state_folder import make_state_folder, state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stemdock_audacity.link.protocol import Reply, TrackInfo

GREETING_TIME: Final = 5.0
"""Seconds to wait for the first answer; an idle Audacity needs 0.1."""
_RENEWAL_TIME: Final = 0.5
"""Seconds to wait until Audacity has reopened its pipe."""
COMMAND_TIME: Final = 60.0
"""Seconds to wait for a command; enough to import an album."""
_MAX_REPLY: Final = 4 << 20
"""Bytes of an answer; one about 100 tracks has 20,000."""


class Pipe:
    """An open, exclusive connection to Audacity."""

    def __init__(self, link: transport.Transport) -> None:
        self._link = link
        self._stale = False

    def run(self, name: str, *, seconds: float = COMMAND_TIME, **values: str | float) -> Reply:
        """Runs a command in Audacity.

        Args:
            name: The command's identifier.
            seconds: Seconds to wait for the answer.
            values: The command's parameters.

        Raises:
            HostUnreachableError: Audacity closed, or did not answer in time. The connection cannot be
                used any more, because the answer may still arrive.
        """
        line = protocol.command_line(name, **values)
        return self._exchange(line, time.monotonic() + seconds)

    def do(self, name: str, *, seconds: float = COMMAND_TIME, **values: str | float) -> str:
        """Runs a command that must succeed; returns the text of the answer.

        Raises:
            CommandFailedError: Audacity reports a failure.
            HostUnreachableError: See `run`.
        """
        reply = self.run(name, seconds=seconds, **values)
        if not reply.ok:
            raise CommandFailedError(protocol.command_line(name, **values), reply.text)
        return reply.text

    def tracks(self) -> tuple[TrackInfo, ...]:
        """The tracks of the project in front, from the top."""
        return protocol.parse_tracks(self.do("GetInfo", Type="Tracks", Format="JSON"))

    def greet(self) -> None:
        """Skips answers to earlier clients.

        An unknown command is answered with its name, and opens no window, as every known one does.

        Raises:
            HostUnreachableError: Audacity does not answer.
        """
        nonce = f"stemdock-{secrets.token_hex(6)}"
        deadline = time.monotonic() + GREETING_TIME
        self._link_write(protocol.command_line(nonce), deadline)
        self._receive(
            deadline, lambda received: nonce.encode() in received and protocol.is_complete(received)
        )

    def _exchange(self, line: str, deadline: float) -> Reply:
        if self._stale:
            raise BusyError("the connection cannot be used after a command that took too long")
        self._link_write(line, deadline)
        return protocol.parse_reply(self._receive(deadline, protocol.is_complete))

    def _receive(self, deadline: float, is_complete: Callable[[bytes], bool]) -> bytes:
        received = b""
        while not is_complete(received):
            if len(received) > _MAX_REPLY:
                self._stale = True
                raise ReplyTooLongError
            received += self._read(deadline)
        return received

    def _link_write(self, line: str, deadline: float) -> None:
        try:
            self._link.write(line.encode(), deadline)
        except TimeoutError as error:
            self._stale = True
            raise no_answer_error() from error

    def _read(self, deadline: float) -> bytes:
        # At a pipe that is never empty, reading never has to wait.
        data = self._link.read(deadline) if time.monotonic() < deadline else b""
        if not data:
            self._stale = True
            raise no_answer_error()
        return data


@contextmanager
def connect() -> Iterator[Pipe]:
    """Connects to the running Audacity.

    Raises:
        NotRunningError: Audacity is not running.
        ModuleOffError: Audacity is running without its pipe.
        NoPipeError: This is Audacity 4.
        BusyError: Another program is connected, or Audacity is busy.
        DialogOpenError: Audacity is waiting for the user.
        ForeignPipeError: Another user or program has made what has the name of the pipe.
        ReplyTooLongError: The answer has no end.
        QueueFolderError: The folder of the lock cannot be used.
    """
    with _open_link() as link:
        pipe = Pipe(link)
        pipe.greet()
        yield pipe


def is_served() -> bool:
    """Whether Audacity's pipe exists, even if another program is using it."""
    try:
        with _open_link():
            return True
    except BusyError:
        return True
    except HostUnreachableError:
        return False


@contextmanager
def _open_link() -> Iterator[transport.Transport]:
    with ExitStack() as stack:
        if not _lock(stack):
            raise BusyError("another Stemdock program is using Audacity")
        _refuse_other_clients()
        link = _open_patiently()
        stack.callback(link.close)
        yield link


def _open_patiently() -> transport.Transport:
    """Opens the pipe; after each client, Audacity needs a moment to create it again."""
    deadline = time.monotonic() + _RENEWAL_TIME
    while True:
        try:
            return transport.open_transport()
        except ForeignPipeError:
            raise
        except OSError as error:
            if time.monotonic() > deadline or not find_audacity():
                raise no_pipe_error() from error
        time.sleep(_RENEWAL_TIME / 10)


def _lock(stack: ExitStack) -> bool:
    """Acquires the lock that each Stemdock program holds while it is connected; returns whether it was free.

    It is in a folder that only this user can enter: others must not be able to hold it.
    """
    folder = state_folder()
    make_state_folder(folder)
    path = folder / "pipe.lock"
    try:
        return stack.enter_context(try_locked(path))
    except OSError as error:
        raise QueueFolderError(path, reason_for(error)) from error


def _refuse_other_clients() -> None:
    fifo = getattr(transport, "TO_AUDACITY", None)
    if fifo and (pids := other_clients(fifo)):
        raise BusyError(f"another program (process {pids[0]}) is using Audacity's pipe")

"""The connection to Audacity: one client at a time, a deadline for every command."""

from __future__ import annotations

import getpass
import os
import secrets
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock import HostUnreachableError, try_locked
from stemdock_audacity.errors import (
    BusyError,
    CommandFailedError,
    DialogOpenError,
    ModuleOffError,
    NoPipeError,
    NotRunningError,
)
from stemdock_audacity.link import protocol, transport
from stemdock_audacity.link.processes import find_audacity, is_busy, other_clients
from stemdock_audacity.profile.folders import find_profile, find_version, has_no_pipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock_audacity.link.protocol import Reply, TrackInfo

GREETING_TIME: Final = 5.0
"""Seconds to wait for the first answer; an idle Audacity needs 0.1."""
_RENEWAL_TIME: Final = 0.5
"""Seconds to wait until Audacity has reopened its pipe."""
COMMAND_TIME: Final = 60.0
"""Seconds to wait for a command; enough to import an album."""


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

        Raises:
            HostUnreachableError: Audacity does not answer.
        """
        nonce = f"stemdock-{secrets.token_hex(6)}"
        deadline = time.monotonic() + GREETING_TIME
        self._link_write(protocol.command_line("Message", Text=nonce), deadline)
        received = b""
        while not (nonce.encode() in received and protocol.is_complete(received)):
            received += self._read(deadline)

    def _exchange(self, line: str, deadline: float) -> Reply:
        if self._stale:
            raise BusyError("the connection cannot be used after a command that took too long")
        self._link_write(line, deadline)
        received = b""
        while not protocol.is_complete(received):
            received += self._read(deadline)
        return protocol.parse_reply(received)

    def _link_write(self, line: str, deadline: float) -> None:
        try:
            self._link.write(line.encode(), deadline)
        except TimeoutError as error:
            self._stale = True
            raise no_answer_error() from error

    def _read(self, deadline: float) -> bytes:
        data = self._link.read(deadline)
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
        if not stack.enter_context(try_locked(lock_path())):
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
        except OSError as error:
            if time.monotonic() > deadline or not find_audacity():
                raise no_pipe_error() from error
        time.sleep(_RENEWAL_TIME / 10)


def lock_path() -> Path:
    """The lock that each Stemdock program holds while it is connected; one per user, like the pipe."""
    user = os.getuid() if sys.platform != "win32" else getpass.getuser()
    return Path(tempfile.gettempdir()) / f"stemdock-audacity-{user}.lock"


def _refuse_other_clients() -> None:
    fifo = getattr(transport, "TO_AUDACITY", None)
    if fifo and (pids := other_clients(fifo)):
        raise BusyError(f"another program (process {pids[0]}) is using Audacity's pipe")


def no_pipe_error() -> HostUnreachableError:
    """The error for a pipe that does not exist."""
    if not find_audacity():
        return NotRunningError()
    version = find_version(find_profile())
    if has_no_pipe(version):
        return NoPipeError(version)
    return ModuleOffError()


def no_answer_error() -> HostUnreachableError:
    """The error for an open pipe without an answer."""
    pids = find_audacity()
    if not pids:
        return NotRunningError()
    if any(is_busy(pid) for pid in pids):
        return BusyError("Audacity is busy")
    return DialogOpenError()

"""Starts Audacity so that its pipe works."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from stemdock_audacity.errors import (
    DialogOpenError,
    ForeignPipeError,
    InstallError,
    ModuleOffError,
    NotRunningError,
)
from stemdock_audacity.link import transport
from stemdock_audacity.link.pipe import connect

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import HostUnreachableError

_START_TIME: Final = 120.0
"""Seconds in which Audacity must answer."""
_PERIOD: Final = 0.02
_N_STARTS: Final = 3
"""Right after another instance has closed, Audacity sometimes exits at once."""


def launch(program: Path) -> int:
    """Starts Audacity and waits until it answers.

    Returns:
        Its process id.

    Raises:
        InstallError: Audacity exited at once.
        ForeignPipeError: Another user has made what has the name of Audacity's pipe.
        HostUnreachableError: Audacity is running and does not answer.
    """
    for _ in range(_N_STARTS):
        process = _start(program)
        keeper = _PipeKeeper()
        deadline = time.monotonic() + _START_TIME
        fault: HostUnreachableError = ModuleOffError()
        try:
            while process.poll() is None and time.monotonic() < deadline:
                keeper.watch()
                if keeper.has_settled:
                    try:
                        if _has_answered():
                            return process.pid
                    except DialogOpenError as error:
                        fault = error
                    except (ModuleOffError, NotRunningError):
                        keeper.restore()
                    keeper.has_been_used = True
                time.sleep(_PERIOD)
        finally:
            keeper.release()
        if process.poll() is None:
            raise fault
        time.sleep(1)
    raise InstallError(
        f"{program} closed right after its start", remedy="Start Audacity yourself and read its message."
    )


def _start(program: Path) -> subprocess.Popen[bytes]:
    null = subprocess.DEVNULL
    if sys.platform == "win32":
        return subprocess.Popen([program], close_fds=True)  # noqa: S603
    for path in (transport.TO_AUDACITY, transport.FROM_AUDACITY):
        try:
            path.unlink(missing_ok=True)  # left over from an earlier instance
        except OSError as error:
            raise ForeignPipeError(path) from error
    return subprocess.Popen([program], stdin=null, stdout=null, stderr=null, start_new_session=True)  # noqa: S603


def _has_answered() -> bool:
    from stemdock import HostUnreachableError  # noqa: PLC0415

    try:
        with connect() as pipe:
            # Until a project is open, Audacity answers with an empty line and does nothing.
            return pipe.run("GetInfo", Type="Tracks", Format="JSON", seconds=5).ok
    except (DialogOpenError, ForeignPipeError, ModuleOffError, NotRunningError):
        raise
    except HostUnreachableError:
        return False


class _PipeKeeper:
    """Keeps the pipe working while Audacity checks plug-ins that are new to it.

    To check a plug-in, Audacity starts a second process of itself. That process loads the scripting module,
    too, and replaces the FIFOs with its own. The first process then waits forever at a FIFO without a name.
    So each FIFO for commands gets a second name as soon as it appears, and returns to its place when the
    second process has ended.
    """

    _SETTLING_TIME: Final = 1.5
    """Seconds without a replacement after which the FIFO is stable."""

    def __init__(self) -> None:
        self.has_been_used = False
        """Whether a client has tried to connect: after each, Audacity makes the FIFOs anew."""
        self._spares: list[Path] = []
        self._inode = 0
        self._changed = time.monotonic()

    @property
    def has_settled(self) -> bool:
        """Whether the FIFO has been the same for a while."""
        if sys.platform == "win32":
            return True
        return bool(self._inode) and time.monotonic() - self._changed > self._SETTLING_TIME

    def watch(self) -> None:
        """Follows the FIFOs; call it continuously while Audacity starts."""
        if sys.platform == "win32":
            return
        with suppress(OSError):
            if not transport.is_own(transport.TO_AUDACITY):
                return
            inode = transport.TO_AUDACITY.lstat().st_ino
            if inode != self._inode:
                self._inode = inode
                self._changed = time.monotonic()
                spare = transport.TO_AUDACITY.with_name(f".{secrets.token_hex(8)}")
                os.link(transport.TO_AUDACITY, spare, follow_symlinks=False)
                self._spares.append(spare)
            elif self.has_settled and not self.has_been_used and self._spares[0].lstat().st_ino != inode:
                # Before anybody has connected, the first FIFO is the first process's, and no other.
                self._spares.pop(0).replace(transport.TO_AUDACITY)
                self.release()

    def restore(self) -> None:
        """Puts the last FIFO that a process waits at in its place; call it if none waits at the one there."""
        if sys.platform == "win32":
            return
        while self._spares:
            spare = self._spares.pop()
            if transport.is_read(spare):
                spare.replace(transport.TO_AUDACITY)
                return
            spare.unlink(missing_ok=True)

    def release(self) -> None:
        """Removes the second names."""
        while self._spares:
            self._spares.pop().unlink(missing_ok=True)

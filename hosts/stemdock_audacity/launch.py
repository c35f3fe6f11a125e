"""Starting Audacity with its pipe in working order."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from stemdock_audacity import transport
from stemdock_audacity.errors import DialogOpenError, InstallError, ModuleOffError
from stemdock_audacity.pipe import connect

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import HostUnreachableError

_START_TIME: Final = 60.0
"""Seconds until Audacity has to answer."""
_PERIOD: Final = 0.02
_N_STARTS: Final = 3
"""Right after another instance has ended, Audacity sometimes gives up at once."""


def launch(program: Path) -> int:
    """Starts Audacity and waits until it answers.

    Returns:
        Its process id.

    Raises:
        InstallError: It ended at once.
        HostUnreachableError: It runs and does not answer.
    """
    for _ in range(_N_STARTS):
        process = _start(program)
        keeper = _PipeKeeper()
        deadline = time.monotonic() + _START_TIME
        fault: HostUnreachableError = ModuleOffError()
        while process.poll() is None and time.monotonic() < deadline:
            keeper.watch()
            try:
                if keeper.has_settled and _has_answered():
                    keeper.release()
                    return process.pid
            except DialogOpenError as error:
                fault = error
            time.sleep(_PERIOD)
        keeper.release()
        if process.poll() is None:
            raise fault
        time.sleep(1)
    raise InstallError(f"{program} ended at once", remedy="Start it by hand and look for its message.")


def _start(program: Path) -> subprocess.Popen[bytes]:
    null = subprocess.DEVNULL
    if sys.platform == "win32":
        return subprocess.Popen([program], close_fds=True)  # noqa: S603
    for path in (transport.TO_AUDACITY, transport.FROM_AUDACITY):
        path.unlink(missing_ok=True)  # of an instance that is gone
    return subprocess.Popen([program], stdin=null, stdout=null, stderr=null, start_new_session=True)  # noqa: S603


def _has_answered() -> bool:
    from stemdock import HostUnreachableError  # noqa: PLC0415

    try:
        with connect() as pipe:
            # Until there is a project, commands are answered with an empty line and not carried out.
            return pipe.run("GetInfo", Type="Tracks", Format="JSON", seconds=5).ok
    except DialogOpenError:
        raise
    except HostUnreachableError:
        return False


class _PipeKeeper:
    """Keeps the pipe alive over the first start with a new plug-in.

    To look at a new plug-in, Audacity starts a second process of itself, which loads the scripting
    module, too, and replaces the FIFOs by its own. The first process then waits for ever at a FIFO
    that has no name any more. So each FIFO for commands gets a second name as soon as it appears, and
    when the second process is gone, the first one's FIFO is put back.
    """

    _SETTLING_TIME: Final = 1.5
    """Seconds after the FIFO's last replacement."""

    def __init__(self) -> None:
        self._first: Path | None = None
        self._inode = 0
        self._changed = time.monotonic()

    @property
    def has_settled(self) -> bool:
        """Whether the FIFO has been the same for a while."""
        if sys.platform == "win32":
            return True
        return bool(self._inode) and time.monotonic() - self._changed > self._SETTLING_TIME

    def watch(self) -> None:
        """To be called all the time while Audacity starts."""
        if sys.platform == "win32":
            return
        with suppress(OSError):
            inode = transport.TO_AUDACITY.stat().st_ino
            if inode != self._inode:
                self._inode = inode
                self._changed = time.monotonic()
                if self._first is None:
                    spare = transport.TO_AUDACITY.with_name(f"stemdock-pipe.{os.getpid()}")
                    os.link(transport.TO_AUDACITY, spare)
                    self._first = spare
            elif self.has_settled and self._first and self._first.stat().st_ino != inode:
                self._first.replace(transport.TO_AUDACITY)
                self._first = None

    def release(self) -> None:
        """Gives the second name up."""
        if self._first:
            self._first.unlink(missing_ok=True)

"""Locks between processes: the only module that imports filelock.

The system releases a lock when its process ends, however it ends. So a lock that is free although its
file exists belongs to a process that was killed.

Some file systems of networks, containers and memory cards have no locks. There, `locked` goes on without
one, since a user with one process must not be stopped; `try_locked` says that the lock is not free, since
nothing may be removed that another process may use.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stemdock.lib.arguments import StrPath

_WITHOUT_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL})
"""Errors by which systems say that a file system has no locks."""
_POLL: Final = 0.2
"""Seconds between two attempts to get a lock."""
_MODE: Final = 0o600
"""Permissions of the file: who can read it can hold the lock."""


class LocksUnsupportedError(OSError):
    """The file system has no locks."""


class Lock:
    """A lock on a file, which one process, and one object in it, can hold at a time."""

    def __init__(self, path: Path) -> None:
        """Prepares the lock without acquiring it.

        Args:
            path: The lock's file, created when needed; its folder must exist.
        """
        # Imported late: commands that lock nothing, such as --help, should not wait for it.
        from filelock import FileLock  # noqa: PLC0415

        # A soft lock, which is only a file, would stay when its process is killed.
        self._lock = FileLock(path, mode=_MODE, thread_local=False, fallback_to_soft=False)
        self._path = path

    def try_acquire(self, timeout: float = 0.0) -> bool:
        """Acquires the lock if it is free; returns whether it was.

        Args:
            timeout: Seconds to wait for the lock.

        Raises:
            LocksUnsupportedError: The file system has no locks.
            OSError: The lock's file cannot be created, or is a link, a folder or a pipe.
        """
        from filelock import Timeout  # noqa: PLC0415  as above

        _check_file(self._path)

        try:
            self._lock.acquire(timeout=timeout)
        except Timeout:
            return False
        except NotImplementedError as error:
            raise LocksUnsupportedError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from error
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise
            raise LocksUnsupportedError(error.errno, error.strerror) from error
        return True

    def release(self) -> None:
        """Releases the lock, if this object holds it."""
        self._lock.release()


def _check_file(path: Path) -> None:
    """Refuses what is not a file, and closes a file of this user to others, who could hold the lock for ever.

    Raises:
        OSError: It is a link, a folder, a pipe or a device.
    """
    try:
        status = path.lstat()
    except OSError:
        return
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EEXIST, "the lock in it is not a file", str(path))
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        with suppress(OSError):  # it belongs to another user, or the file system has no permissions
            path.chmod(_MODE)


@contextmanager
def try_locked(path: StrPath) -> Iterator[bool]:
    """Holds a lock during the block if it is free; yields whether it is.

    Args:
        path: The lock's file, whose folder must exist. Where the file system has no locks, it is not free.

    Raises:
        OSError: The lock's file cannot be created.
    """
    lock = Lock(Path(path))
    try:
        acquired = lock.try_acquire()
    except LocksUnsupportedError:
        acquired = False
    try:
        yield acquired
    finally:
        lock.release()


@contextmanager
def locked(path: StrPath, *, on_wait: Callable[[], object] | None = None) -> Iterator[bool]:
    """Holds a lock during the block, and waits for it as long as another process holds it.

    Yields whether it is held: without locks in the file system, the block runs all the same.

    Args:
        path: The lock's file, whose folder must exist.
        on_wait: Called at once and then several times a second as long as the lock is not free.
            If it raises, the wait is over.

    Raises:
        OSError: The lock's file cannot be created.
    """
    lock = Lock(Path(path))
    timeout = 0.0
    held = True
    try:
        while not lock.try_acquire(timeout):
            if on_wait:
                on_wait()
            timeout = _POLL
    except LocksUnsupportedError:
        held = False
    try:
        yield held
    finally:
        lock.release()

"""Locks between processes.

The operating system releases a lock when the process that holds it ends, even if that process is killed.
So a lock that is free proves that no running process uses the files it guards.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_POLL: Final = 0.2
"""Seconds between two calls of `on_wait`."""


@contextmanager
def locked(path: Path, *, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock, and wait for it as long as another process or thread holds it.

    Args:
        path: The lock's file. Its folder exists.
        on_wait: Called again and again during the wait. An exception from it ends the wait.

    Raises:
        OSError: The file cannot be made or locked.
    """
    # Commands that only read need no lock and do not pay for the import.
    from filelock import FileLock, Timeout  # noqa: PLC0415

    lock = FileLock(path)
    timeout = 0.0
    while not lock.is_locked:
        try:
            lock.acquire(timeout=timeout)
        except Timeout:
            on_wait()
            timeout = _POLL
    try:
        yield
    finally:
        lock.release()


@contextmanager
def locked_if_free(path: Path) -> Iterator[bool]:
    """Hold a lock if no other process or thread holds it; the value says whether it is held now.

    Args:
        path: The lock's file. Its folder exists.

    Raises:
        OSError: The file cannot be made or locked.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()

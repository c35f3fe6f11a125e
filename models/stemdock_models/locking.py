"""Locks between processes, and the folders that they guard.

The operating system gives up a lock when its holder ends, however it ends, so what a killed task
left behind is told by a lock that nobody holds.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from stemdock import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from threading import Event

_POLL: Final = 0.2
"""Seconds between two looks at a lock that somebody else holds."""


@contextmanager
def locked(
    path: Path, on_wait: Callable[[], None] = lambda: None, cancel: Event | None = None
) -> Iterator[None]:
    """Holds a lock, waiting for it as long as need be.

    Args:
        path: The lock's file.
        on_wait: Called once if somebody else holds it.
        cancel: Set it from another thread to stop waiting.

    Raises:
        CancelledError: `cancel` was set.
    """
    # Listing models is frequent and needs no lock: only those who write wait for the import.
    from filelock import FileLock, Timeout  # noqa: PLC0415

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_wait()
    while not lock.is_locked:
        if cancel is not None and cancel.is_set():
            raise CancelledError
        with suppress(Timeout):
            lock.acquire(timeout=_POLL)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def work_folder(scratch: Path, key: str, on_wait: Callable[[], None], cancel: Event | None) -> Iterator[Path]:
    """An empty folder inside `scratch` that nobody else with the same key has; removed at the end."""
    scratch.mkdir(parents=True, exist_ok=True)
    with locked(_lock_path(scratch / key), on_wait, cancel):
        folder = scratch / key
        shutil.rmtree(folder, ignore_errors=True)
        _sweep(scratch)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(scratch: Path) -> None:
    """Removes what killed tasks left behind."""
    from filelock import FileLock, Timeout  # noqa: PLC0415

    for folder in [path for path in scratch.iterdir() if path.is_dir()]:
        with suppress(Timeout), FileLock(_lock_path(folder), timeout=0):
            shutil.rmtree(folder, ignore_errors=True)


def _lock_path(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")

"""Whether this process may start the threads that libraries take for granted."""

from __future__ import annotations

import os
from threading import Event, Thread
from time import monotonic, sleep
from typing import Final

from stemdock.lib.memory import address_limit

_MOST_THREADS: Final = 64
"""The builds of OpenBLAS in numpy's wheels start no more."""
_LONGEST_WAIT: Final = 0.2
"""Seconds; others may start threads meanwhile."""
_SIGN: Final = "can't start new thread"


def is_thread_shortage(error: BaseException) -> bool:
    """Whether an error means that the system grants no further threads.

    Under a limit of the address space, threads fail for want of memory instead.
    """
    return isinstance(error, RuntimeError) and _SIGN in str(error) and address_limit() is None


def n_numpy_threads() -> int:
    """Threads that numpy starts when it is first imported: those of OpenBLAS, which it contains."""
    wanted = os.environ.get("OPENBLAS_NUM_THREADS", "")
    return int(wanted) if wanted.isdecimal() and int(wanted) else os.cpu_count() or 1


def try_threads(n_threads: int) -> None:
    """Starts threads and ends them, to see whether a library can start as many.

    OpenBLAS raises SIGINT where it cannot start a thread, which looks like Ctrl-C. In a network, it looks
    like a damaged model.

    Raises:
        RuntimeError: A thread cannot be started.
    """
    n_before = _n_counted()
    done = Event()
    started: list[Thread] = []
    try:
        for _ in range(min(n_threads, _MOST_THREADS)):
            thread = Thread(target=done.wait, daemon=True)
            thread.start()
            started.append(thread)
    finally:
        done.set()
        for thread in started:
            thread.join()
        # For a moment, the system still counts a thread that has ended.
        until = monotonic() + _LONGEST_WAIT
        while _n_counted() > n_before and monotonic() < until:
            sleep(0.001)


def _n_counted() -> int:
    """Threads of this process, as the system counts them; 0 if it does not say."""
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208  names are enough
    except OSError:
        return 0

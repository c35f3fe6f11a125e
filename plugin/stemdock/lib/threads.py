"""Whether this process may start the threads that libraries take for granted."""

from __future__ import annotations

import os
import sys
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


def try_threads(n_cores: int) -> None:
    """Starts as many threads as numpy will when it is first imported, or else a network, and ends them.

    numpy contains OpenBLAS, which raises SIGINT where it cannot start a thread. That looks like Ctrl-C. In a
    network, it looks like a damaged model.

    Args:
        n_cores: Cores that this process may use.

    Raises:
        RuntimeError: A thread cannot be started.
    """
    wanted = os.environ.get("OPENBLAS_NUM_THREADS", "")
    n_threads = int(wanted) if wanted.isdecimal() and int(wanted) else n_cores
    if "numpy" in sys.modules:
        n_threads = n_cores + 2  # two more for what runs while the network is loaded
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

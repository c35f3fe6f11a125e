"""Whether this process may start the threads that libraries take for granted."""

from __future__ import annotations

import errno
import os
import sys
from threading import Event, Thread
from typing import Final

from stemdock.lib.memory import address_limit

_MOST_THREADS: Final = 64
"""The builds of OpenBLAS in numpy's wheels start no more."""
_SIGN: Final = "can't start new thread"


def is_thread_shortage(error: BaseException) -> bool:
    """Whether an error means that the system grants no further threads or processes.

    Under a limit of the address space, threads fail for want of memory instead.
    """
    return address_limit() is None and (
        _SIGN in str(error) or (sys.platform != "win32" and getattr(error, "errno", None) == errno.EAGAIN)
    )


def try_threads(n_cores: int) -> None:
    """Starts as many threads as numpy will when it is first imported, and ends them.

    OpenBLAS, inside numpy, raises SIGINT where it cannot start a thread, which looks like Ctrl-C.

    Args:
        n_cores: Cores that this process may use.

    Raises:
        RuntimeError: A thread cannot be started.
    """
    wanted = os.environ.get("OPENBLAS_NUM_THREADS", "")
    n_threads = int(wanted) if wanted.isdecimal() and int(wanted) else n_cores
    done = Event()
    started: list[Thread] = []
    try:
        for _ in range(1 if "numpy" in sys.modules else min(n_threads, _MOST_THREADS)):
            thread = Thread(target=done.wait, daemon=True)
            thread.start()
            started.append(thread)
    finally:
        done.set()
        for thread in started:
            thread.join()

"""Holding signals back while Python imports.

An import that an exception interrupts can leave its lock taken, and some exceptions in it are lost. Another
thread that imports then waits for ever.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS: Final[tuple[int, ...]] = tuple(
    # Windows has only the first two.
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGXCPU")
    if hasattr(signal, name)
)
"""Those of Ctrl-C, of `kill`, of the end of the terminal, and of the limit of processor time."""


@contextmanager
def signals_later() -> Iterator[None]:
    """Holds back the signals that raise an exception, and hands the first one on at the end of the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    handled = {number: handler for number in SIGNALS if callable(handler := signal.getsignal(number))}
    for number in handled:
        signal.signal(number, lambda number, _: held.append(number))
    try:
        yield
    finally:
        for number, handler in handled.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])

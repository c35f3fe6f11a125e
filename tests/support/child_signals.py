"""Signals of the programs that tests start."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# Windows has no SIGHUP.
_SIGNALS: Final = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def default_signals() -> Iterator[None]:
    """Programs started in this context can be interrupted, terminated and hung up.

    A program inherits the signals that its parent ignores: nohup ignores SIGHUP, and a shell ignores SIGINT
    for the background jobs of a script. So without this, such tests depend on how pytest was started.
    """
    ignored = [number for number in _SIGNALS if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)

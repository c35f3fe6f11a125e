"""The limit of processor time (`ulimit -t`): a run ends in order before the system kills it."""

from __future__ import annotations

import signal
import sys
from typing import Final

from stemdock.errors import StemdockError

_SIGNAL: Final[int] = getattr(signal, "SIGXCPU", 0)
"""The system sends it once, or every second, when the soft limit is reached. Windows has none."""
EXIT_OUT_OF_TIME: Final = 128 + (_SIGNAL or 24)
_RESERVE: Final = 2
"""Seconds of processor time to stop and clean up in. At the hard limit, the system kills the process."""


def end_in_time() -> None:
    """Makes the program exit with `EXIT_OUT_OF_TIME` shortly before its processor time is used up."""
    if sys.platform == "win32":  # it has no such limit
        return
    import resource  # noqa: PLC0415  missing on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard != resource.RLIM_INFINITY and not 0 <= soft <= hard - _RESERVE:
        resource.setrlimit(resource.RLIMIT_CPU, (max(1, hard - _RESERVE), hard))
    # Raising SystemExit removes unfinished files; the default action would leave them.
    signal.signal(signal.SIGXCPU, lambda *_: sys.exit(EXIT_OUT_OF_TIME))


def is_repeated(number: int) -> bool:
    """Whether the system sends this signal again, without anybody who is in a hurry."""
    return number == _SIGNAL


def out_of_time() -> StemdockError:
    """The error for the user."""
    return StemdockError(
        "the limit of processor time is used up",
        remedy="Raise it (ulimit -t), or continue with --resume.",
    )

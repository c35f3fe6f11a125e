"""Limits of memory, and how the shortage shows: each library reports it in its own way."""

from __future__ import annotations

import errno
import sys
from typing import TYPE_CHECKING, Final

from stemdock.lib.control_groups import CGROUPS, MOUNTS, group_settings

if TYPE_CHECKING:
    from pathlib import Path

_SIGNS: Final = (
    "bad_alloc",
    "Failed to allocate memory",
    "Cannot allocate memory",
    "cannot allocate memory",
    "failed to map segment",
)
"""Of onnxruntime, the system and its loader of libraries."""
_THREAD_SIGN: Final = "can't start new thread"
"""Of Python. Threads need memory for their stacks, but a limit of threads shows in the same way."""
_NO_LIMIT: Final = 1 << 60
"""Version 1 says "no limit" with a number above this."""


def is_memory_shortage(error: BaseException) -> bool:
    """Whether an error of any library, or of loading it, means that memory is short."""
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or any(sign in str(error) for sign in _SIGNS)
        or (_THREAD_SIGN in str(error) and address_limit() is not None)
    )


def address_limit() -> int | None:
    """Bytes of address space that this process may use (`ulimit -v`); None if there is no limit."""
    if sys.platform == "win32":  # it has no such limits
        return None
    import resource  # noqa: PLC0415  missing on Windows

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def group_limit(cgroups: Path = CGROUPS, mounts: Path = MOUNTS) -> int | None:
    """Bytes of memory for the control group of this process, such as its container; None if unlimited.

    The system kills processes that take more, without an error that they could report.

    Args:
        cgroups: The groups of this process, as Linux lists them.
        mounts: The file systems that this process sees.
    """
    texts = group_settings("memory", ("memory.max",), ("memory.limit_in_bytes",), cgroups, mounts)
    # Version 2 says "max" if there is no limit.
    limits = [int(text) for text in texts if text.isdecimal()]
    return min((limit for limit in limits if limit < _NO_LIMIT), default=None)

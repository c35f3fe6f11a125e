"""Limits of memory, and how the shortage shows: each library reports it in its own way."""

from __future__ import annotations

import errno
import sys
from typing import Final

_SIGNS: Final = (
    "bad_alloc",
    "Failed to allocate memory",
    "Cannot allocate memory",
    "cannot allocate memory",
    "failed to map segment",
    "can't start new thread",
)
"""Of onnxruntime, the system, its loader of libraries, and Python, whose threads need memory for stacks."""


def is_memory_shortage(error: BaseException) -> bool:
    """Whether an error of any library, or of loading it, means that memory is short."""
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or any(sign in str(error) for sign in _SIGNS)
    )


def address_limit() -> int | None:
    """Bytes of address space that this process may use (`ulimit -v`); None if there is no limit."""
    if sys.platform == "win32":  # it has no such limits
        return None
    import resource  # noqa: PLC0415  missing on Windows

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit

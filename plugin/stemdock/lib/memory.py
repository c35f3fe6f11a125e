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
)
"""Of onnxruntime, the system and its loader of libraries."""
_THREAD_SIGN: Final = "can't start new thread"
"""Of Python. Threads need memory for their stacks, but a limit of threads shows in the same way."""


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

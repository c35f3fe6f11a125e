"""Errors of the operating system, turned into the caller's own errors."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DISK_FULL: Final = tuple(
    os.strerror(getattr(errno, name)) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name)
)
"""Windows reports a full disk as ENOSPC, too, and may lack EDQUOT."""


def reason_for(error: OSError | ValueError) -> str:
    """Why a file operation failed, in a few words.

    Args:
        error: From the operating system, or the ValueError that Python raises for a path that no
            operating system accepts.
    """
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, UnicodeError):
        return "its name contains characters that this system cannot store"
    if "null" in str(error):
        return "its name contains a null character"
    return str(error)


def write_remedy(reason: str, otherwise: str) -> str:
    """What to do now that a file could not be written.

    Args:
        reason: From `reason_for`.
        otherwise: The remedy unless the disk or the user's share of it is full.
    """
    return "The disk is full. Free some space." if reason in _DISK_FULL else otherwise


@contextmanager
def os_errors_as(
    make_error: Callable[[str], Exception], *, keep: type[Exception] | tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """Raises the caller's own error in place of any OSError inside the block.

    Args:
        make_error: Makes the error to raise from the reason that the system gives.
        keep: Errors to leave as they are although they are OSErrors: they already say what is wrong.
    """
    try:
        yield
    except keep:
        raise
    except OSError as error:
        raise make_error(reason_for(error)) from error

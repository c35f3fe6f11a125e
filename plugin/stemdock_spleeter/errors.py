"""Errors that programs written for Spleeter can catch."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from stemdock import CancelledError, StemdockError, os_errors_as

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


class SpleeterError(StemdockError):
    """What goes wrong in a separation; the name is Spleeter's.

    Unlike other errors of Stemdock, it can be raised without a remedy, as audio adapters of other people do.
    """

    def __init__(self, message: str = "", *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)

    def __str__(self) -> str:
        """The message; of the built-in bases, `KeyError` would quote it."""
        return str(self.args[0])


class UncaughtError(SpleeterError):
    """An error for which Spleeter has no `SpleeterError`: its command ends with a traceback and status 1."""


class FilenameFormatError(UncaughtError, KeyError):
    """A filename format has an unknown field. Spleeter raises a bare `KeyError`."""


@contextmanager
def spleeter_errors() -> Iterator[None]:
    """Turns the errors of Stemdock into a `SpleeterError` with the same message and remedy."""
    try:
        yield
    except (SpleeterError, CancelledError):
        raise
    except StemdockError as error:
        raise SpleeterError(str(error), remedy=error.remedy) from error


def write_errors(path: Path) -> AbstractContextManager[None]:
    """Turns the system's errors while a file is written into a `SpleeterError` that names the file."""
    return os_errors_as(
        lambda reason: SpleeterError(
            f"{path}: cannot be written ({reason})", remedy="Check the folder and the free disk space."
        ),
        keep=StemdockError,
    )

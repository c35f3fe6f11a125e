"""Errors of downloads, archives and the store of models."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stemdock import ModelError, StemdockError, reason_for

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DownloadError(ModelError, ConnectionError):
    """A file of a release cannot be downloaded.

    Attributes:
        url: Its address.
        reason: What happened, without the address.
    """

    def __init__(self, model: str, url: str, reason: str, *, remedy: str) -> None:
        super().__init__(model, f"{url}: {reason}", remedy=remedy)
        self.url = url
        self.reason = reason


class ArchiveError(ModelError):
    """An archive is damaged, unsafe, or not the expected one. Nothing from it was installed.

    Attributes:
        path: The archive.
    """

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        super().__init__(str(path), reason, remedy=remedy)
        self.path = path


class ModelNameError(ModelError, ValueError):
    """The name is invalid, or another model has it."""


class UnknownModelError(ModelError, LookupError):
    """The command cannot be used on a model of this name, because there is none.

    Attributes:
        known: The models that the command can be used on.
    """

    def __init__(self, name: str, known: tuple[str, ...], reason: str = "no such model") -> None:
        super().__init__(
            name,
            reason,
            remedy=f"Choose one of {', '.join(known)}."
            if known
            else "List all models with: plugin-cli models list",
        )
        self.known = known


class StoreError(ModelError, OSError):
    """The folder of models, or a file to be put there, cannot be read or written.

    The installed models are unchanged.

    Attributes:
        path: The folder or file.
    """

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        super().__init__(str(path), reason, remedy=remedy)
        self.path = path


class DiskFullError(StoreError):
    """The disk has not enough free space for a model."""

    def __init__(self, path: Path, reason: str = "no space left on the disk") -> None:
        super().__init__(
            path,
            reason,
            remedy="Free some space, or set STEMDOCK_MODELS to a folder on another disk. Then try again.",
        )


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn an OSError into a `StoreError`.

    Args:
        path: The file or folder in use, for errors that name none.

    Raises:
        StoreError: An OSError occurred that is not one of Stemdock's own errors.
    """
    try:
        yield
    except OSError as error:
        # Our own errors already name their file. A full disk always gets the remedy for a full disk.
        cause = error.__cause__ if isinstance(error, StemdockError) else error
        if isinstance(cause, OSError) and cause.errno in _FULL:
            raise DiskFullError(path) from error
        if isinstance(error, StemdockError):
            raise
        raise StoreError(
            Path(error.filename) if isinstance(error.filename, str) else path,
            f"cannot be read or written ({reason_for(error)})",
            remedy="Check its permissions, or set STEMDOCK_MODELS to a folder that you can write to.",
        ) from error

"""What can go wrong between a release, an archive and the store of models."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stemdock import ModelError, StemdockError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DownloadError(ModelError, ConnectionError):
    """A file of a release cannot be had.

    Attributes:
        url: Its address.
        reason: What happened, without the address.
    """

    def __init__(self, model: str, url: str, reason: str, *, remedy: str) -> None:
        super().__init__(model, f"{url}: {reason}", remedy=remedy)
        self.url = url
        self.reason = reason


class ArchiveError(ModelError):
    """An archive is damaged, is not what it should be, or would do harm; nothing of it was kept.

    Attributes:
        path: The archive.
    """

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        super().__init__(str(path), reason, remedy=remedy)
        self.path = path


class ModelNameError(ModelError, ValueError):
    """A name that no model can have, or that another model has."""


class StoreError(ModelError, OSError):
    """The folder of models, or what is to be put there, cannot be read or written.

    The models in it are as they were.

    Attributes:
        path: The folder or file.
    """

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        super().__init__(str(path), reason, remedy=remedy)
        self.path = path


class DiskFullError(StoreError):
    """There is not enough space for a model."""

    def __init__(self, path: Path, reason: str = "no space left on its disk") -> None:
        super().__init__(
            path,
            reason,
            remedy="Free some there, or set STEMDOCK_MODELS to a folder on another disk, and try again.",
        )


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Makes what the operating system says of a path into a `StoreError`.

    Raises:
        StoreError: An OSError occurred that no part of Stemdock raised on purpose.
    """
    try:
        yield
    except OSError as error:
        # One that is ours already names its file; a full disk gets its remedy whoever met it.
        cause = error.__cause__ if isinstance(error, StemdockError) else error
        if isinstance(cause, OSError) and cause.errno in _FULL:
            raise DiskFullError(path) from error
        if isinstance(error, StemdockError):
            raise
        raise StoreError(
            Path(error.filename) if isinstance(error.filename, str) else path,
            f"cannot be used ({error.strerror or error})",
            remedy="Look at its rights, or set STEMDOCK_MODELS to a folder that you may write to.",
        ) from error

"""The mixture of a song while it is separated: a file, or an object that is downloaded when it is needed."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from stemdock.batch import object_store
from stemdock.batch.contents import mixture_content
from stemdock.batch.store_errors import MissingObjectError, StoreError
from stemdock.errors import AudioFileError, AudioFileNotFoundError
from stemdock.files.stages import Stopwatch
from stemdock.files.staging import temporary_folder
from stemdock.lib.hashing import file_sha256
from stemdock.lib.legal_names import legal_name
from stemdock.lib.locations import WEB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event
    from types import TracebackType

    from stemdock.batch.contents import Content
    from stemdock.batch.object_store import ObjectInfo, ObjectVersion
    from stemdock.lib.locations import Location, Place
    from stemdock.types import SeparatedFile

_SPARE: Final = 256 << 20
"""Bytes that a download leaves free on the disk."""
_MAX_NAME: Final = 200
"""Bytes of the name of a downloaded file."""


class Source:
    """A mixture, for as long as the context lasts. Not for several threads."""

    def __init__(self, place: Place, cancel: Event | None = None) -> None:
        """Reads nothing yet.

        Args:
            place: The mixture.
            cancel: Set it to stop a download.
        """
        self._place = place
        self._cancel = cancel
        self._stack = ExitStack()
        self._downloading = Stopwatch()
        self._copy: Path | None = None
        self._info: ObjectInfo | None = None
        self._identity: Content | ObjectVersion | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def identity(self) -> Content | ObjectVersion:
        """What identifies its content: hashed, or for an object, its size and ETag.

        An object without an ETag is downloaded and hashed.

        Raises:
            AudioFileError: It cannot be read.
            CancelledError: `cancel` was set.
        """
        if self._identity is None:
            self._identity = self._current()
        return self._identity

    def check_unchanged(self) -> None:
        """Checks that the content is still that of `identity`.

        Raises:
            AudioFileError: It has changed, or cannot be read.
            CancelledError: `cancel` was set.
        """
        # Modification times are too coarse for this; hashing takes little time beside the separation.
        if self._current() != self.identity() and not self._is_same_again():
            raise AudioFileError(
                self._place,
                "changed during the separation",
                remedy="Separate it again when no other program writes to it.",
            )

    @contextmanager
    def local(self) -> Iterator[Path]:
        """Gives the file, or a private copy of the object. Errors about the copy name the object.

        Raises:
            AudioFileError: It cannot be downloaded.
            CancelledError: `cancel` was set.
        """
        if isinstance(self._place, Path):
            yield self._place
            return
        copy = self._downloaded(self._place)
        try:
            yield copy
        except AudioFileError as error:
            if error.path != copy:
                raise
            raise AudioFileError(self._place, error.reason, remedy=error.remedy) from error

    def named(self, separated: SeparatedFile) -> SeparatedFile:
        """The result, with the object in place of its copy in the warnings, and with its download."""
        if self._copy is None:
            return separated
        copy, name = str(self._copy), str(self._place)
        return replace(
            separated,
            warnings=tuple(warning.replace(copy, name) for warning in separated.warnings),
            stages={"download": self._downloading.seconds, **separated.stages},
        )

    def _is_same_again(self) -> bool:
        """Whether a second download is the same: machines behind a name on the web can have other ETags."""
        if isinstance(self._place, Path) or self._place.scheme not in WEB or self._copy is None:
            return False
        with _errors_of(self._place):
            return object_store.sha256_of(self._place, self._cancel) == file_sha256(self._copy)

    def _current(self) -> Content | ObjectVersion:
        if isinstance(self._place, Path):
            return mixture_content(self._place)
        with _errors_of(self._place):
            self._info = object_store.info(self._place, self._cancel)
        return self._info.version or mixture_content(self._downloaded(self._place))

    def _downloaded(self, location: Location) -> Path:
        if self._copy is None:
            folder = self._stack.enter_context(temporary_folder())
            path = folder / legal_name(location.name, max_bytes=_MAX_NAME)
            with _errors_of(location), self._downloading.running():
                size = (self._info or object_store.info(location, self._cancel)).size
                room = shutil.disk_usage(folder).free - _SPARE
                if room < (size or 0):
                    raise StoreError(
                        f"has {size} bytes, and the disk for temporary files has too little room",
                        remedy="Free some space, or set TMPDIR to a folder on another disk.",
                    )
                limit = room if size is None else size
                object_store.fetch(location, path, max_size=limit, cancel=self._cancel)
                if size is not None and path.stat().st_size != size:
                    raise StoreError("was only downloaded in part", remedy="Try again.")
            self._copy = path
        return self._copy


@contextmanager
def _errors_of(location: Location) -> Iterator[None]:
    """Turns errors of the store into those of songs."""
    try:
        yield
    except MissingObjectError:
        raise AudioFileNotFoundError(location) from None
    except StoreError as error:
        raise AudioFileError(location, f"cannot be read ({error})", remedy=error.remedy) from None
    except OSError as error:
        raise AudioFileError(
            location,
            f"cannot be downloaded ({error.strerror})",
            remedy="Free some space, or set TMPDIR to a folder on another disk.",
        ) from error

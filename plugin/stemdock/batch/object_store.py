"""Files at locations: what can be done with objects, in the terms of every store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock.batch.s3_uploads import PARTS
from stemdock.batch.store_backends import call, guard
from stemdock.batch.store_errors import (
    ExistingObjectError,
    MissingObjectError,
    StoreError,
)
from stemdock.files.staging import temporary_folder
from stemdock.lib.hashing import file_sha256
from stemdock.lib.locations import Location

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from threading import Event

_VERSIONS: Final = ("generation", "ETag", "etag", "md5Hash", "Content-MD5", "Last-Modified", "created")
"""What the backends call the version of an object, best first. ETags of Google's store also change with its
metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectVersion:
    """What identifies the content of an object, as its store says."""

    size: int
    """Bytes."""
    etag: str
    """The ETag, or what the store has in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """What a store says about an object."""

    size: int | None
    """Bytes; None if unknown, as for some web servers."""
    etag: str
    """Empty if the store has none, nor anything in its place."""
    is_folder: bool

    @property
    def version(self) -> ObjectVersion | None:
        """None if the store does not say enough."""
        return None if self.size is None or not self.etag else ObjectVersion(size=self.size, etag=self.etag)


def info(location: Location, cancel: Event | None = None) -> ObjectInfo:
    """What the store says about an object or a folder.

    Raises:
        MissingObjectError: There is none.
        StoreError: The store does not answer.
        CancelledError: `cancel` was set.
    """
    found = call(location, "info", location.address, cancel=cancel)
    size = found.get("size")
    etag = next((str(found[name]) for name in _VERSIONS if found.get(name)), "")
    return ObjectInfo(
        size=size if isinstance(size, int) else None,
        etag=etag.strip('"'),
        is_folder=found.get("type") == "directory",
    )


def exists(location: Location, cancel: Event | None = None) -> bool:
    """Whether there is an object.

    Raises:
        StoreError: The store does not answer.
        CancelledError: `cancel` was set.
    """
    try:
        return not info(location, cancel).is_folder
    except MissingObjectError:
        return False


def find(location: Location, *, is_pattern: bool = False) -> Iterator[Location]:
    """All objects below a folder, or those that match a pattern, in the order of their names.

    Args:
        location: The folder, or the pattern as of `glob`.
        is_pattern: Which of the two.

    Raises:
        StoreError: The store does not answer.
    """
    names = call(location, "glob" if is_pattern else "find", location.address)
    for name in sorted(names):
        yield Location(f"{location.scheme}://{name.lstrip('/')}")


def fetch(location: Location, path: Path, *, max_size: int, cancel: Event | None = None) -> None:
    """Downloads an object to a new file.

    Args:
        location: The object.
        path: The file.
        max_size: Bytes that the file may get.
        cancel: Set it to stop.

    Raises:
        StoreError: The object cannot be read, or is larger.
        CancelledError: `cancel` was set.
        OSError: The file cannot be written.
    """
    size_guard = guard(max_size)
    with path.open("wb"):  # an error of this machine's disk is no error of the store
        pass
    call(location, "get_file", location.address, str(path), callback=size_guard, cancel=cancel)


def create(location: Location, path: Path, *, may_replace: bool = False, cancel: Event | None = None) -> bool:
    """Uploads a file.

    Args:
        location: The object.
        path: The file.
        may_replace: Whether an existing object is replaced.
        cancel: Set it to stop.

    Returns:
        False if there is an object with these bytes already.

    Raises:
        ExistingObjectError: There is another object, which is not to be replaced.
        StoreError: The object cannot be written.
        CancelledError: `cancel` was set.
    """
    mode = "overwrite" if may_replace else "create"
    try:
        if location.scheme == "memory":  # its put_file cannot refuse
            call(location, "pipe_file", location.address, path.read_bytes(), mode=mode)
        else:
            options = PARTS if location.scheme == "s3" else {}
            call(location, "put_file", str(path), location.address, mode=mode, cancel=cancel, **options)
    except ExistingObjectError:
        # Also after an attempt that succeeded while its answer was lost.
        if info(location, cancel).size != path.stat().st_size or sha256_of(location, cancel) != file_sha256(
            path
        ):
            raise
        return False
    return True


def sha256_of(location: Location, cancel: Event | None = None) -> str:
    """The hash of an object, which is downloaded for it.

    Raises:
        StoreError: It cannot be read.
        CancelledError: `cancel` was set.
    """
    with temporary_folder() as folder:
        fetch(location, folder / "object", max_size=info(location, cancel).size or 0, cancel=cancel)
        return file_sha256(folder / "object")


def read(location: Location, *, max_size: int, cancel: Event | None = None) -> bytes:
    """A small object.

    Raises:
        MissingObjectError: There is none.
        StoreError: It cannot be read, or is larger.
        CancelledError: `cancel` was set.
    """
    if location.scheme == "memory":
        info(location, cancel)  # its cat_file raises a KeyError
    content: bytes = call(location, "cat_file", location.address, end=max_size + 1, cancel=cancel)
    if len(content) > max_size:
        raise StoreError(f"is larger than {max_size} bytes")
    return content


def write(location: Location, content: bytes, cancel: Event | None = None, *, only_new: bool = False) -> None:
    """Writes a small object, completely or not at all, in place of one that is there unless `only_new`.

    Raises:
        ExistingObjectError: There is one, and `only_new` was given.
        StoreError: It cannot be written.
        CancelledError: `cancel` was set.
    """
    mode = "create" if only_new else "overwrite"
    call(location, "pipe_file", location.address, content, mode=mode, cancel=cancel)


def remove(location: Location) -> None:
    """Removes an object.

    Raises:
        StoreError: It cannot be removed.
    """
    call(location, "rm_file", location.address)

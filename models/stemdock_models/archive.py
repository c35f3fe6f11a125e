"""Takes a checkpoint out of an archive that nobody has reason to trust.

tarfile's own extraction is not used: no path, mode, owner or link of the archive reaches the file
system. Members are read one by one and written under names that are checked here, and the whole
archive is refused as soon as one member is none of a checkpoint's, wanted or not.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from stemdock import CancelledError
from stemdock_models.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event
    from typing import IO

MAX_BYTES: Final = 4 << 30
"""Most that an archive may unpack to: six times the largest released one, whose optimizer slots are in it."""
MAX_MEMBERS: Final = 1000
_MAX_READ: Final = 1 << 20
"""Longest piece that tarfile may ask for at once: it reads long headers whole."""

_WANTED: Final = re.compile(r"checkpoint|[^.].*\.index|[^.].*\.data-\d{5}-of-\d{5}", re.DOTALL)
"""The meta graph is not needed, and what begins with a dot is a probe or a Macintosh's companion."""


def unpack_checkpoint(
    archive: Path, folder: Path, *, max_bytes: int = MAX_BYTES, cancel: Event | None = None
) -> None:
    """Writes the files of the checkpoint in an archive into a folder, without the archive's folders.

    Args:
        archive: A tar file compressed by gzip, with one checkpoint at its root or in one folder.
        folder: An empty folder.
        max_bytes: Most bytes that the archive may unpack to, headers and unwanted members included.
        cancel: Set it from another thread to stop.

    Raises:
        ArchiveError: The archive is damaged, is too large unpacked, has a path that leaves it, a link
            or a device, or holds no checkpoint or more than one.
        OSError: A file cannot be written.
        CancelledError: `cancel` was set.
    """
    homes: dict[str, PurePosixPath] = {}
    try:
        with (
            gzip.open(archive) as compressed,
            # tarfile steps back by a byte now and then: without this, from the start again.
            io.BufferedReader(compressed, 2 * _MAX_READ) as stream,
            tarfile.open(fileobj=cast("IO[bytes]", _Bounded(archive, stream, max_bytes)), mode="r:") as tar,
        ):
            for member in _members(archive, tar, max_bytes):
                path = PurePosixPath(member.name)
                if not member.isreg() or not _WANTED.fullmatch(path.name):
                    continue
                if path.name in homes or (homes and path.parent not in homes.values()):
                    raise _harmful(archive, "holds more than one checkpoint")
                homes[path.name] = path.parent
                _write(tar, member, folder / path.name, cancel)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, ValueError) as error:
        # tarfile lets pass what it cannot read of extended headers.
        raise ArchiveError(
            archive,
            f"no whole archive ({error})",
            remedy="Download it again; it should be a tar file compressed by gzip (.tar.gz).",
        ) from error
    if not homes:
        raise ArchiveError(
            archive, "has no checkpoint in it", remedy="Give an archive of a Spleeter checkpoint."
        )


def _members(archive: Path, tar: tarfile.TarFile, max_bytes: int) -> Iterator[tarfile.TarInfo]:
    """Every member, checked before any of its data is read."""
    n_bytes = 0
    for n_members, member in enumerate(tar, 1):
        n_bytes += member.size
        if n_members > MAX_MEMBERS:
            raise _harmful(archive, f"has more than {MAX_MEMBERS} members")
        if n_bytes > max_bytes:
            raise _too_large(archive, max_bytes)
        if not (member.isreg() or member.isdir()) or member.issparse():
            raise _harmful(archive, f"its member {member.name!r} is neither a plain file nor a folder")
        if not _stays_inside(member.name):
            raise _harmful(archive, f"its member {member.name!r} would leave the folder it is unpacked to")
        yield member


def _stays_inside(name: str) -> bool:
    # Wherever it was packed, it may be unpacked under any system: a path must be harmless to all. A
    # colon names a drive of Windows or a second stream of a file.
    path = PureWindowsPath(name)
    return not (path.root or ":" in name or ".." in path.parts)


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path, cancel: Event | None) -> None:
    source = tar.extractfile(member)
    if source is None:
        raise tarfile.ReadError(f"{member.name} has no data")
    with source, path.open("xb") as target:
        while chunk := source.read(_MAX_READ):
            if cancel is not None and cancel.is_set():
                raise CancelledError
            target.write(chunk)


def _harmful(archive: Path, reason: str) -> ArchiveError:
    return ArchiveError(
        archive, reason, remedy="Do not use this archive: it is none of Spleeter's. Nothing was unpacked."
    )


def _too_large(archive: Path, max_bytes: int) -> ArchiveError:
    return _harmful(archive, f"unpacks to more than {max_bytes / 1e6:.0f} MB")


class _Bounded:
    """A decompressed stream that ends a bomb before it fills disk or memory."""

    def __init__(self, archive: Path, stream: BinaryIO, max_bytes: int) -> None:
        self._archive = archive
        self._stream = stream
        # Headers and padding take a kilobyte or two a member.
        self._limit = max_bytes + MAX_MEMBERS * 10_240

    def read(self, n_bytes: int) -> bytes:
        self._check(self._stream.tell() + n_bytes)
        if n_bytes > _MAX_READ:
            raise _harmful(self._archive, f"has a header of {n_bytes / 1e6:.0f} MB")
        return self._stream.read(n_bytes)

    def seek(self, position: int) -> int:
        self._check(position)
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()

    def _check(self, position: int) -> None:
        if position < 0:
            raise tarfile.ReadError("a member of less than nothing")
        if position > self._limit:
            raise _too_large(self._archive, self._limit)

    def seekable(self) -> bool:
        return True

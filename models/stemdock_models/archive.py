"""Unpack a checkpoint from an untrusted archive.

tarfile's own extraction is not used, so no path, mode, owner or link of the archive reaches the file
system. Members are read one by one and written under checked names. A single unsafe member makes the whole
archive invalid, even if the checkpoint does not need that member.
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
"""Upper limit of the unpacked size: six times the largest released archive with its optimizer slots."""
MAX_MEMBERS: Final = 1000
_MAX_READ: Final = 1 << 20
"""Upper limit of one read: tarfile reads a long header at once."""

_WANTED: Final = re.compile(r"checkpoint|[^.].*\.index|[^.].*\.data-\d{5}-of-\d{5}", re.DOTALL)
"""The meta graph is not needed. Names with a dot in front are Spleeter's probe or macOS metadata."""


def unpack_checkpoint(
    archive: Path, folder: Path, *, max_bytes: int = MAX_BYTES, cancel: Event | None = None
) -> None:
    """Write the files of a checkpoint from an archive to a folder, without the archive's own folders.

    Args:
        archive: A tar file compressed with gzip, with one checkpoint at its root or in one folder.
        folder: An empty folder.
        max_bytes: Upper limit of the unpacked size, headers and other members included.
        cancel: Set it from another thread to stop.

    Raises:
        ArchiveError: The archive is damaged or too large, contains a link, a device or a path outside
            the folder, or does not contain exactly one checkpoint.
        OSError: A file cannot be written.
        CancelledError: `cancel` was set.
    """
    homes: dict[str, PurePosixPath] = {}
    try:
        with (
            gzip.open(archive) as compressed,
            # tarfile sometimes seeks back by one byte. Without a buffer, gzip then starts again.
            io.BufferedReader(compressed, 2 * _MAX_READ) as stream,
            tarfile.open(fileobj=cast("IO[bytes]", _Bounded(archive, stream, max_bytes)), mode="r:") as tar,
        ):
            for member in _members(archive, tar, max_bytes):
                path = PurePosixPath(member.name)
                if not member.isreg() or not _WANTED.fullmatch(path.name):
                    continue
                if path.name in homes or (homes and path.parent not in homes.values()):
                    raise ArchiveError(
                        archive,
                        "contains more than one checkpoint",
                        remedy="Choose an archive with a single checkpoint.",
                    )
                homes[path.name] = path.parent
                _write(tar, member, folder / path.name, cancel)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, ValueError, RecursionError) as error:
        # tarfile raises ValueError for damaged extended headers, and calls itself for each in a row of them.
        raise ArchiveError(
            archive,
            f"is damaged or not a .tar.gz archive ({error})",
            remedy="Download it again. It must be a tar file compressed with gzip (.tar.gz).",
        ) from error
    if not homes:
        raise ArchiveError(
            archive, "contains no checkpoint", remedy="Choose an archive of a Spleeter checkpoint."
        )


def _members(archive: Path, tar: tarfile.TarFile, max_bytes: int) -> Iterator[tarfile.TarInfo]:
    """Every member. Each is checked before its data is read."""
    n_bytes = 0
    for n_members, member in enumerate(tar, 1):
        if member.size < 0:
            raise tarfile.ReadError("a negative size")
        n_bytes += member.size
        if n_members > MAX_MEMBERS:
            raise _unsafe(archive, f"contains more than {MAX_MEMBERS} files and folders")
        if n_bytes > max_bytes:
            raise _too_large(archive, max_bytes)
        if not (member.isreg() or member.isdir()) or member.issparse():
            raise _unsafe(archive, f"contains {member.name!r}, which is neither a regular file nor a folder")
        if not _stays_inside(member.name):
            raise _unsafe(archive, f"contains {member.name!r}, a path outside the folder")
        yield member


def _stays_inside(name: str) -> bool:
    # The path must be safe on every operating system. On Windows, a colon names a drive or a second stream
    # of a file.
    path = PureWindowsPath(name)
    return not (path.root or ":" in name or ".." in path.parts)


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path, cancel: Event | None) -> None:
    # It is None for links and devices only, which have been refused.
    source = cast("IO[bytes]", tar.extractfile(member))
    with source, path.open("xb") as target:
        while chunk := source.read(_MAX_READ):
            if cancel is not None and cancel.is_set():
                raise CancelledError
            target.write(chunk)


def _unsafe(archive: Path, reason: str) -> ArchiveError:
    return ArchiveError(
        archive, reason, remedy="Do not use this archive. It may be an attack. Nothing was installed."
    )


def _too_large(archive: Path, max_bytes: int) -> ArchiveError:
    return _unsafe(archive, f"unpacks to more than {max_bytes / 1e6:.0f} MB")


class _Bounded:
    """A decompressed stream with a size limit: a small archive may unpack to more than the disk holds."""

    def __init__(self, archive: Path, stream: BinaryIO, max_bytes: int) -> None:
        self._archive = archive
        self._stream = stream
        # Headers and padding take one or two kilobytes for each member.
        self._limit = max_bytes + MAX_MEMBERS * 10_240

    def read(self, n_bytes: int) -> bytes:
        if n_bytes > _MAX_READ:
            raise _unsafe(self._archive, f"contains a header of {n_bytes / 1e6:.0f} MB")
        if self._stream.tell() + n_bytes > self._limit:
            raise _too_large(self._archive, self._limit)
        return self._stream.read(n_bytes)

    def seek(self, position: int) -> int:
        # tarfile skips members only, and their sizes are checked before.
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()

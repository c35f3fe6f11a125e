"""A folder as one archive, made while it is sent: it needs no space on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK_SIZE: Final = 1 << 18
_SMALL: Final = 2_000_000_000
"""Bytes of files up to which an archive has no wider fields, so that its own bytes do not depend on them."""


def archived(folder: Path, name: str) -> Iterator[bytes]:
    """The bytes of a zip archive.

    Args:
        folder: The folder. Its files are stored as they are: sound does not become smaller.
        name: Of the folder in the archive. If there is nothing in it but another folder, that one is
            archived under its own name, which a project may need.

    Raises:
        OSError: A file cannot be read.
    """
    sent = _Sent()
    # What cannot seek gets sizes behind the content, and nothing of it must be kept.
    with ZipFile(sent, "w") as archive:
        for path, entry in _entries(folder, name):
            with path.open("rb") as source, archive.open(entry, "w") as target:
                while chunk := source.read(_CHUNK_SIZE):
                    target.write(chunk)
                    yield sent.taken()
    yield sent.taken()


def n_archived_bytes(folder: Path, name: str) -> int | None:
    """How many bytes `archived` gives of the same arguments; None if they are too many to tell.

    Raises:
        OSError: A file cannot be read.
    """
    entries = _entries(folder, name)
    n_content_bytes = sum(entry.file_size for _, entry in entries)
    if n_content_bytes > _SMALL:
        return None
    sent = _Sent()
    with ZipFile(sent, "w") as archive:
        for _, entry in entries:
            archive.open(entry, "w").close()
    return n_content_bytes + len(sent.taken())


def _entries(folder: Path, name: str) -> list[tuple[Path, ZipInfo]]:
    """Each file with its entry in the archive."""
    parts = list(folder.iterdir())
    if len(parts) == 1 and parts[0].is_dir():
        folder, name = parts[0], parts[0].name
    entries = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        entry = ZipInfo(f"{name}/{path.relative_to(folder).as_posix()}")
        entry.compress_type = ZIP_STORED
        entry.external_attr = 0o644 << 16
        entry.file_size = path.stat().st_size
        entries.append((path, entry))
    return entries


class _Sent:
    """A file whose content is taken away while it is written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes, /) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Its parts stay to be taken."""

    def taken(self) -> bytes:
        whole = b"".join(self._parts)
        self._parts.clear()
        return whole

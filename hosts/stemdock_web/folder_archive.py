"""A folder as one archive, made while it is sent: it needs no space on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK_SIZE: Final = 1 << 18


def archived(folder: Path, name: str) -> Iterator[bytes]:
    """The bytes of a zip archive.

    Args:
        folder: The folder. Its files are stored as they are: sound does not become smaller.
        name: Of the folder in the archive. If there is nothing in it but another folder, that one is
            archived under its own name, which a project may need.

    Raises:
        OSError: A file cannot be read.
    """
    entries = list(folder.iterdir())
    if len(entries) == 1 and entries[0].is_dir():
        folder, name = entries[0], entries[0].name
    sent = _Sent()
    # What cannot seek gets sizes behind the content, and nothing of it must be kept.
    with ZipFile(sent, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = ZipInfo(f"{name}/{path.relative_to(folder).as_posix()}")
            entry.compress_type = ZIP_STORED
            entry.external_attr = 0o644 << 16
            entry.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(entry, "w") as target:
                while chunk := source.read(_CHUNK_SIZE):
                    target.write(chunk)
                    yield sent.taken()
    yield sent.taken()


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

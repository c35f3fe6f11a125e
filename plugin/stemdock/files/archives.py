"""Zip archives: of all stems of a song, and what other formats that are archives need."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from stemdock.errors import CancelledError, StemdockError, unwritable
from stemdock.lib.legal_names import legal_name
from stemdock.lib.os_errors import os_errors_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from threading import Event

_CHUNK_SIZE: Final = 1 << 20


@contextmanager
def new_archive(path: Path) -> Iterator[ZipFile]:
    """Gives an empty archive to fill.

    Args:
        path: A file that does not exist yet.

    Raises:
        OutputError: The file cannot be written.
    """
    with (
        os_errors_as(unwritable(path, "Check the disk and its free space."), keep=StemdockError),
        ZipFile(path, "x") as archive,
    ):
        yield archive


def add_file(archive: ZipFile, name: str, source: Path, cancel: Event | None) -> None:
    """Adds a sound as it is: compression would not make it smaller, and editors read it in place.

    Args:
        archive: From `new_archive`.
        name: Path of the sound in the archive, with `/`.
        source: The file.
        cancel: Set it from another thread to stop.

    Raises:
        CancelledError: `cancel` was set.
    """
    entry = ZipInfo(name)
    entry.compress_type = ZIP_STORED
    entry.external_attr = 0o644 << 16
    entry.file_size = source.stat().st_size
    with source.open("rb") as sound, archive.open(entry, "w") as target:
        while chunk := sound.read(_CHUNK_SIZE):
            if cancel is not None and cancel.is_set():
                raise CancelledError
            target.write(chunk)


def write_stem_archive(path: Path, sounds: Mapping[str, Path], cancel: Event | None = None) -> None:
    """Writes an archive of stems, in a folder with the name of the archive.

    Args:
        path: A file that does not exist yet.
        sounds: The file of each stem and mix.
        cancel: Set it from another thread to stop.

    Raises:
        OutputError: The file cannot be written.
        CancelledError: `cancel` was set.
    """
    # The names of an archive are UTF-8, and those of some file systems any bytes.
    folder = legal_name(path.stem.encode(errors="replace").decode())
    with new_archive(path) as archive:
        for name, source in sounds.items():
            add_file(archive, f"{folder}/{legal_name(f'{name}{source.suffix}')}", source, cancel)

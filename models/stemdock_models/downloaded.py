"""The files of a download in the store: the archive, whole or in part, and a note of its version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import file_sha256, try_locked
from stemdock_models.errors import store_errors
from stemdock_models.scratch import lock_path

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def tag_path(archive: Path) -> Path:
    """The file beside an archive that says which version of it the server is sending."""
    return archive.with_name(f"{archive.name}.json")


def remove_download(archive: Path) -> bool:
    """Remove an archive, whole or in part; returns whether there was one.

    Raises:
        StoreError: It cannot be removed.
    """
    with store_errors(archive):
        existed = archive.exists()
        archive.unlink(missing_ok=True)
        tag_path(archive).unlink(missing_ok=True)
    return existed


def remove_used_archives(downloads: Path, scratch: Path, used: Collection[str]) -> None:
    """Remove whole archives that tasks left which were killed after their models were installed.

    Args:
        downloads: The folder of the archives.
        scratch: The folder of the scratch folders: an archive that a task works on stays.
        used: Hashes of the archives of installed models, hex.

    Raises:
        OSError: An archive cannot be read.
        StoreError: An archive cannot be removed.
    """
    for archive in downloads.glob("*.tar.gz"):
        with try_locked(lock_path(scratch / archive.name.removesuffix(".tar.gz"))) as free:
            if free and archive.exists() and file_sha256(archive) in used:
                remove_download(archive)

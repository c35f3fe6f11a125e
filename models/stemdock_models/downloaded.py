"""The files of a download in the store: the archive, whole or in part, and a note of its version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock_models.errors import store_errors

if TYPE_CHECKING:
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

"""The files of a download in the store: the archive, whole or in part, and a note of its version."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from stemdock import file_sha256, parse_json_as, try_locked
from stemdock_models.errors import store_errors
from stemdock_models.scratch import lock_path

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


_STRONG_TAG: Final = re.compile(r'"[\x21\x23-\x7e]{0,200}"')
"""An entity tag (RFC 9110, 8.8.3) that guarantees the same bytes, without characters outside ASCII."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    url: str
    tag: str


def read_tag(archive: Path, url: str) -> str:
    """The entity tag of an archive's version; empty if it has none, or came from another address."""
    with suppress(OSError, ValueError):
        note = parse_json_as(_Note, _note_path(archive).read_bytes())
        if note.url == url and _STRONG_TAG.fullmatch(note.tag):
            return note.tag
    return ""


def write_tag(archive: Path, url: str, tag: str) -> None:
    """Note which version of an archive the server is sending.

    Args:
        archive: The archive.
        url: Its address.
        tag: The server's entity tag, which is not trusted.

    Raises:
        OSError: The note cannot be written.
    """
    note = _Note(url=url, tag=tag if _STRONG_TAG.fullmatch(tag) else "")
    _note_path(archive).write_text(json.dumps(asdict(note)), "ascii")


def remove_download(archive: Path) -> bool:
    """Remove an archive, whole or in part; returns whether there was one.

    Raises:
        StoreError: It cannot be removed.
    """
    with store_errors(archive):
        existed = archive.exists()
        archive.unlink(missing_ok=True)
        _note_path(archive).unlink(missing_ok=True)
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


def _note_path(archive: Path) -> Path:
    """The file beside an archive that says which version of it the server is sending."""
    return archive.with_name(f"{archive.name}.json")

"""The files of a download in the store: the archive, whole or in part, and a note of its version."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from stemdock import parse_json_as
from stemdock_models.errors import store_errors

if TYPE_CHECKING:
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


def _note_path(archive: Path) -> Path:
    """The file beside an archive that says which version of it the server is sending."""
    return archive.with_name(f"{archive.name}.json")

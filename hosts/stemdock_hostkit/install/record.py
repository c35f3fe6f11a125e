"""The record of an installation: what was written where. With it, uninstalling undoes exactly that.

The record is a JSON file that only its user can read. Files below the host's folder have relative names, so
that a portable editor can move.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from stemdock import is_private_file, parse_json, parse_json_as
from stemdock_hostkit.install.errors import RecordError, RecordVersionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRecord:
    """The edits of one of the editor's files."""

    before: Mapping[str, str | None] = field(default_factory=dict)
    """What each edited place contained before the first installation; None if it was missing."""
    after: Mapping[str, str | None] = field(default_factory=dict)
    """What the last installation wrote there."""
    created: bool = False
    """Whether there was no file."""
    backup: str | None = None
    """The name of its copy among the files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What installations did."""

    version: int = VERSION
    files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 by name."""
    replaced: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of our own former content, which is still there if an installation was killed."""
    folders: tuple[str, ...] = ()
    """Created folders, parents first."""
    edits: Mapping[str, EditRecord] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The content of the file."""
        return (json.dumps(asdict(self), indent=1) + "\n").encode("ascii")

    def hashes(self, name: str) -> set[str]:
        """The contents of a file that count as ours."""
        return {hashes[name] for hashes in (self.files, self.replaced) if name in hashes}

    def names(self) -> Iterator[str]:
        """Every name in the record."""
        yield from (*self.files, *self.replaced, *self.folders, *self.edits)


def read_record(
    host: str, path: Path, base: Path, adopt: Callable[[bytes | None], Record] | None = None
) -> Record:
    """Reads a record.

    Args:
        host: The editor's name.
        path: The record.
        base: The folder to which names are relative.
        adopt: Makes a record from what is there instead of a versioned one: the content that an older
            Stemdock wrote, or None if there is no file. May raise ValueError. None if there is no older one.

    Raises:
        RecordError: It is damaged or cannot be read, or others could have written paths into it.
        RecordVersionError: A newer Stemdock wrote it.
    """
    try:
        content = path.read_bytes() if os.path.lexists(path) else None
        version = None if content is None else _version(content)
        if version is not None and version > VERSION:
            raise RecordVersionError(host, path)
        if adopt and version is None:
            record = adopt(content)
        else:
            record = Record() if content is None else parse_json_as(Record, content)
        for name in record.names():
            _check(name, base, may_leave=content is None or is_private_file(path))
    except (OSError, ValueError) as error:
        raise RecordError(host, path, str(error)) from error
    return record


def name_of(path: Path, base: Path) -> str:
    """The name of a file in the record."""
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()


def _version(content: bytes) -> int | None:
    """The record's version; None if it was written before records had one."""
    try:
        values = parse_json(content)
    except ValueError:
        return None
    version = values.get("version") if isinstance(values, dict) else None
    return version if isinstance(version, int) else None


def _check(name: str, base: Path, *, may_leave: bool) -> None:
    if ".." in PurePath(name).parts or (not may_leave and not (base / name).is_relative_to(base)):
        raise ValueError(f"{name} is outside {base}")

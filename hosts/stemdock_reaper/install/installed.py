"""What earlier installations did, also those of a Stemdock whose record had no version."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from stemdock import parse_json_as
from stemdock_hostkit.install.installation import Installation
from stemdock_hostkit.install.plan import Place
from stemdock_hostkit.install.record import EditRecord, Record
from stemdock_reaper.errors import HOST
from stemdock_reaper.profile import places

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEYS: Final = "reaper-kb.ini"
BACKUP: Final = f"Stemdock/{KEYS} before Stemdock"
LINES: Final = "lines"
"""The edited place in `KEYS`: the lines at its end."""


def installation(resources: Path) -> Installation:
    """The installation in a resource folder; empty if nothing is installed.

    Raises:
        RecordError: The record is damaged or cannot be read.
        RecordVersionError: A newer Stemdock wrote the record.
    """
    record = places.data_folder(resources) / "installed.json"
    return Installation(Place(host=HOST, record=record, base=resources, adopt=_adopted))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Former:
    """A record without a version."""

    files: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    keys_added: str = ""
    keys_created: bool = False


def _adopted(content: bytes | None) -> Record:
    if content is None:
        return Record()
    former = parse_json_as(_Former, content)
    keys = EditRecord(
        before={LINES: None},
        after={LINES: former.keys_added},
        created=former.keys_created,
        backup=BACKUP if BACKUP in former.files else None,
    )
    return Record(files=former.files, folders=former.folders, edits={KEYS: keys} if former.keys_added else {})

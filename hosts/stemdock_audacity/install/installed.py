"""What earlier installations did, also those of a Stemdock whose record had no version."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from stemdock import file_sha256, parse_json_as
from stemdock_audacity.capture.preference import MARKER
from stemdock_audacity.errors import HOST
from stemdock_audacity.install.settings_changes import BACKUP
from stemdock_audacity.profile.folders import PLUGIN_FILES
from stemdock_hostkit.install.installation import Installation
from stemdock_hostkit.install.plan import Place
from stemdock_hostkit.install.record import EditRecord, Record, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stemdock_audacity.jobs.queue import JobQueue
    from stemdock_audacity.profile.folders import Profile


def installation(profile: Profile, queue: JobQueue) -> Installation:
    """The installation in this user's Audacity; empty if nothing is installed.

    Raises:
        RecordError: The record cannot be read.
        RecordVersionError: A newer Stemdock wrote the record.
    """
    adopt = partial(_adopted, profile, queue)
    return Installation(Place(host=HOST, record=record_path(queue), base=queue.folder, adopt=adopt))


def record_path(queue: JobQueue) -> Path:
    """The record of the installation."""
    return queue.folder / "installed.json"


def launcher_path(queue: JobQueue) -> Path:
    """The program that Audacity starts."""
    return queue.folder / (f"{MARKER}.cmd" if sys.platform == "win32" else MARKER)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Former:
    """A record without a version, which listed changes of settings only. Keys are "section/key"."""

    former: Mapping[str, str | None] = field(default_factory=dict)
    set: Mapping[str, str] = field(default_factory=dict)
    made_settings: bool | None = None


def _adopted(profile: Profile, queue: JobQueue, content: bytes | None) -> Record:
    former = _Former()
    with suppress(ValueError):  # a damaged list of settings; the files are still known
        former = parse_json_as(_Former, content or b"")
    paths = [launcher_path(queue), *(profile.plugins / name for name in PLUGIN_FILES)]
    if former.former:
        paths.append(profile.settings.with_name(BACKUP))
    files = {name_of(path, queue.folder): file_sha256(path) for path in paths if _is_ours(path)}
    if not former.former:
        return Record(files=files)
    backup = name_of(paths[-1], queue.folder)
    settings = EditRecord(
        before=former.former,
        after=former.set,
        created=former.made_settings is True,
        backup=backup if backup in files else None,
    )
    return Record(files=files, edits={name_of(profile.settings, queue.folder): settings})


def _is_ours(path: Path) -> bool:
    """Whether a file of ours is there, by its name and what is in it."""
    return path.is_file() and (path.name == BACKUP or b"stemdock" in path.read_bytes())

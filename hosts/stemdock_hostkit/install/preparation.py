"""Compares what an installation wants with what is there; changes nothing."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from stemdock import file_sha256, is_private_file, os_errors_as
from stemdock_hostkit.install.errors import ChangedFileError, FileAccessError
from stemdock_hostkit.install.plan import Change
from stemdock_hostkit.install.record import EditRecord, name_of
from stemdock_hostkit.install.transaction import Step, content_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock_hostkit.install.plan import Action, Edit, OwnFile, Place
    from stemdock_hostkit.install.record import Record

_RECORD_MODE: Final = 0o600


class Preparation:
    """Collects what is to be done, and changes nothing.

    Attributes:
        record: The record afterwards.
        steps: The changes to files.
        changes: The same for the user.
    """

    def __init__(self, place: Place, record: Record) -> None:
        self._place = place
        self.record = record
        self.steps: list[Step] = []
        self.changes: list[Change] = []

    def remove_stale(self, wanted: set[str], *, with_backups: bool = False) -> None:
        """Removes recorded files that are not wanted."""
        backups = set() if with_backups else {edit.backup for edit in self.record.edits.values()}
        for name in sorted(self.record.files.keys() - wanted - backups):
            path = self._place.base / name
            if os.path.lexists(path):
                if self._hash(path) in self.record.hashes(name):
                    self._add("remove", Step(path=path, old=content_of(self._place.host, path), new=None))
                else:
                    self.changes.append(Change("keep", path))
            self.record = replace(
                self.record,
                files={each: value for each, value in self.record.files.items() if each != name},
                replaced={each: value for each, value in self.record.replaced.items() if each != name},
            )

    def write_all(self, files: Sequence[OwnFile]) -> None:
        """Writes files, unless one of them would replace a file that is not ours."""
        refused = [file.path for file in files if not self._write(file)]
        if refused:
            raise ChangedFileError(self._place.host, refused)

    def edit(self, edit: Edit) -> None:
        """Edits one of the editor's files."""
        name = name_of(edit.path, self._place.base)
        known = self.record.edits.get(name)
        backup = known.backup if known else None
        if edit.backup and edit.old is not None and not os.path.lexists(edit.backup):
            self._add("write", Step(path=edit.backup, old=None, new=edit.old, mode=_RECORD_MODE))
            backup = name_of(edit.backup, self._place.base)
            self._note(backup, hashlib.sha256(edit.old).hexdigest())
        known = known or EditRecord(created=edit.old is None)
        entry = EditRecord(
            before={**edit.before, **known.before},
            after={**known.after, **edit.after},
            created=known.created,
            backup=backup,
        )
        self.record = replace(self.record, edits={**self.record.edits, name: entry})
        action: Action = "remove" if edit.new is None else "write" if edit.old is None else "change"
        # A link to the file stays a link.
        self._add(action, Step(path=edit.path.resolve(), old=edit.old, new=edit.new), edit.path)

    def write_record(self) -> None:
        """Writes the record before everything else, so that a killed installation can be undone."""
        folders = [name_of(path, self._place.base) for path in self.missing_folders()]
        self.record = replace(self.record, folders=tuple(dict.fromkeys((*self.record.folders, *folders))))
        path, content = self._place.record, self.record.encoded()
        old = content_of(self._place.host, path)
        if old != content:
            self.steps.insert(0, Step(path=path, old=old, new=content, mode=_RECORD_MODE))
            self.changes.append(Change("write", path))

    def remove_record(self) -> None:
        """Removes the record after everything else."""
        if os.path.lexists(self._place.record):
            path = self._place.record
            self._add("remove", Step(path=path, old=content_of(self._place.host, path), new=None))

    def missing_folders(self) -> list[Path]:
        """The folders to create, parents first."""
        written = (step.path for step in self.steps if step.new is not None)
        folders = {folder for path in (*written, self._place.record) for folder in path.parents}
        return sorted(folder for folder in folders if not folder.exists())

    def _write(self, file: OwnFile) -> bool:
        """Whether the file may be written."""
        name = name_of(file.path, self._place.base)
        wanted = hashlib.sha256(file.content).hexdigest()
        if not os.path.lexists(file.path):
            self._add("write", Step(path=file.path, old=None, new=file.content, mode=file.mode))
        else:
            found = self._hash(file.path)
            if found is None or found not in {wanted, *self.record.hashes(name)}:
                return False
            if found != wanted or not _is_safe(file):
                # A file that others can change is replaced, even if its content is right.
                old = content_of(self._place.host, file.path)
                self._add("write", Step(path=file.path, old=old, new=file.content, mode=file.mode))
            if found != wanted:
                self.record = replace(self.record, replaced={**self.record.replaced, name: found})
        self._note(name, wanted)
        return True

    def _note(self, name: str, digest: str) -> None:
        self.record = replace(self.record, files={**self.record.files, name: digest})

    def _add(self, action: Action, step: Step, path: Path | None = None) -> None:
        self.steps.append(step)
        self.changes.append(Change(action, path or step.path))

    def _hash(self, path: Path) -> str | None:
        """The SHA-256 of a file; None for anything else, such as a link."""
        with os_errors_as(partial(FileAccessError, self._place.host, path)):
            return file_sha256(path) if stat.S_ISREG(path.lstat().st_mode) else None


def _is_safe(file: OwnFile) -> bool:
    """Whether a file belongs to this user, only this user can change it, and it can be run if it must."""
    # On Windows, a file's name says whether it is a program.
    needed = 0 if sys.platform == "win32" else file.mode & stat.S_IRWXU
    return is_private_file(file.path) and file.path.stat().st_mode & needed == needed

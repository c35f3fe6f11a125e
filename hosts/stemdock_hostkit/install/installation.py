"""Stemdock's files in one editor: installed, updated and removed, or only what would be done."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from stemdock import os_errors_as
from stemdock_hostkit.install.errors import FileAccessError
from stemdock_hostkit.install.plan import Change
from stemdock_hostkit.install.preparation import Preparation
from stemdock_hostkit.install.record import EditRecord, Record, name_of, read_record
from stemdock_hostkit.install.transaction import carry_out, remove_parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock_hostkit.install.plan import Edit, OwnFile, Place


class Installation:
    """The installation in one editor.

    Attributes:
        record: What earlier installations did.
    """

    def __init__(self, place: Place) -> None:
        """Reads the record.

        Raises:
            RecordError: The record is damaged or cannot be read.
            RecordVersionError: A newer Stemdock wrote the record.
        """
        self._place = place
        self.record = read_record(place.host, place.record, place.base, place.adopt)

    def edit_record(self, path: Path) -> EditRecord:
        """What earlier installations did to one of the editor's files."""
        return self.record.edits.get(name_of(path, self._place.base), EditRecord())

    def install(
        self, files: Sequence[OwnFile], edits: Sequence[Edit] = (), *, dry_run: bool = False
    ) -> list[Change]:
        """Writes files, and removes those of an earlier installation that are not among them.

        Args:
            files: All files of ours, but not the copies of the editor's files.
            edits: Changes to the editor's files. An earlier edit that is not named again stays.
            dry_run: Whether to change nothing.

        Returns:
            The changes; none if everything is up to date.

        Raises:
            ChangedFileError: A file in the way was changed by hand, or is not ours.
            ChangedMeanwhileError: Another program changed a file at the same time.
            FileAccessError: A file cannot be read or written.
        """
        work = Preparation(self._place, self.record)
        work.remove_stale({name_of(file.path, self._place.base) for file in files})
        work.write_all(files)
        for edit in edits:
            work.edit(edit)
        work.write_record()
        if not dry_run:
            carry_out(self._place.host, work.steps, work.missing_folders())
            self.record = work.record
        return work.changes

    def uninstall(
        self, edits: Sequence[Edit] = (), *, trees: Sequence[Path] = (), dry_run: bool = False
    ) -> list[Change]:
        """Removes everything that was installed, except files that were changed by hand.

        Args:
            edits: Changes that restore the editor's files.
            trees: Folders that are removed with everything in them, and files.
            dry_run: Whether to change nothing.

        Returns:
            The changes; none if nothing is installed.

        Raises:
            ChangedMeanwhileError: Another program changed a file at the same time.
            FileAccessError: A file cannot be read or removed.
        """
        work = Preparation(self._place, self.record)
        for edit in edits:
            work.edit(edit)
        work.remove_stale(set(), with_backups=True)
        existing = [path for path in trees if os.path.lexists(path)]
        work.changes += [Change("remove", path) for path in existing]
        work.remove_record()
        if not dry_run:
            carry_out(self._place.host, work.steps, [])
            for path in existing:
                with os_errors_as(partial(FileAccessError, self._place.host, path)):
                    path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)
            remove_parts([self._place.record, *map(self._place.base.joinpath, self.record.names())])
            for folder in reversed(self.record.folders):
                with suppress(OSError):  # it contains other files
                    (self._place.base / folder).rmdir()
            self.record = Record()
        return work.changes

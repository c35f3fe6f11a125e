"""Installs the scripts in REAPER's resource folder, and uninstalls them completely."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from stemdock import deny_others_writing, file_sha256, make_own_folder, os_errors_as, write_atomically
from stemdock_hostkit.job.folder import remove_old_jobs
from stemdock_reaper import keyboard, places
from stemdock_reaper.errors import ReaperRunningError, ResourceFolderError
from stemdock_reaper.installed import installed_path, read_installed
from stemdock_reaper.shipped import action_paths, wanted_files

_BACKUP: Final = "reaper-kb.ini before Stemdock"
_MODE: Final = 0o644
"""REAPER runs the scripts, so only this user may change them, whatever the umask is."""


class Installer:
    """The installation in one resource folder.

    Attributes:
        done: The changes, or with a dry run the changes that would be made; one line each.
    """

    def __init__(self, resources: Path, *, running: bool, dry_run: bool = False) -> None:
        """Reads what earlier installations did.

        Args:
            resources: REAPER's resource folder.
            running: Whether REAPER is running and may use the folder.
            dry_run: Whether to list the changes without making them.

        Raises:
            ResourceFolderError: The list of installed files is damaged or cannot be read.
        """
        self._resources = resources
        self._running = running
        self._dry_run = dry_run
        self._installed = read_installed(resources)
        self.done: list[str] = []

    def install(self) -> None:
        """Installs or updates the scripts; does nothing if they are up to date.

        Raises:
            ResourceFolderError: A file cannot be written.
        """
        files = dict(wanted_files(self._resources, with_scripts=not self.uses_reapack))
        for name in sorted(set(self._installed.files) - set(files) - {f"Stemdock/{_BACKUP}"}):
            self._remove_file(name)
        for name, content in files.items():
            self._write_file(name, content)
        if not self.uses_reapack and not self._running:
            self._add_keys()
        self._replace(installed_path(self._resources), self._installed.encoded(), mode=_MODE)
        if not self._dry_run:
            remove_old_jobs(places.jobs_folder(self._resources))

    def uninstall(self) -> None:
        """Removes everything that was installed, except files that were changed since then.

        Raises:
            ReaperRunningError: REAPER is running and has the actions in its list.
            ResourceFolderError: A file cannot be removed.
        """
        self._remove_keys()
        for name in list(self._installed.files):
            self._remove_file(name)
        jobs = places.jobs_folder(self._resources)
        for path in filter(Path.exists, (jobs, installed_path(self._resources))):
            self._report("remove", path)
            if not self._dry_run:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for folder in reversed(self._installed.folders):
            if not self._dry_run:
                with suppress(OSError):  # the folder has other files
                    (self._resources / folder).rmdir()

    @property
    def uses_reapack(self) -> bool:
        """Whether ReaPack has installed the scripts, so that no second copy is needed."""
        return places.reapack_script(self._resources).is_file()

    @property
    def needs_registration(self) -> bool:
        """Whether the running REAPER does not list the actions yet."""
        return self._running and not self.uses_reapack and bool(self._missing_keys(self._keys_content()))

    def _missing_keys(self, content: bytes) -> bytes:
        line_end = os.linesep.encode()
        return keyboard.added_text(content, action_paths(), str(self._resources / "Scripts"), line_end)

    def _keys_content(self) -> bytes:
        path = self._resources / "reaper-kb.ini"
        return path.read_bytes() if path.exists() else b""

    def _add_keys(self) -> None:
        path = self._resources / "reaper-kb.ini"
        content = self._keys_content()
        added = self._missing_keys(content)
        if not added:
            return
        if path.exists():
            self._write_file(f"Stemdock/{_BACKUP}", content)
        else:
            self._installed.keys_created = True
        for action in action_paths():
            self._report("add action", Path(action))
        self._replace(path, content + added)
        self._installed.keys_added = self._installed.keys_added or added.decode("utf-8")

    def _remove_keys(self) -> None:
        path = self._resources / "reaper-kb.ini"
        content = self._keys_content()
        scripts = str(self._resources / "Scripts")
        kept = keyboard.without(content, self._installed.keys_added.encode(), action_paths(), scripts)
        if kept == content:
            return
        if self._running:
            raise ReaperRunningError
        self._report("change", path)
        if self._installed.keys_created and not kept:
            if not self._dry_run:
                path.unlink()
        else:
            self._replace(path, kept)

    def _write_file(self, name: str, content: bytes) -> None:
        path = self._resources / name
        self._installed.files[name] = hashlib.sha256(content).hexdigest()
        if path.exists() and path.read_bytes() == content:
            if not self._dry_run:
                with suppress(OSError):  # the file belongs to another user
                    deny_others_writing(path)
            return
        self._report("write", path)
        self._make_folders(path.parent)
        self._replace(path, content, mode=_MODE)

    def _make_folders(self, folder: Path) -> None:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        for path in reversed(missing):
            self._installed.folders.append(path.relative_to(self._resources).as_posix())
        if not self._dry_run:
            with _errors_of(folder):
                make_own_folder(folder)

    def _replace(self, path: Path, content: bytes, *, mode: int | None = None) -> None:
        """Writes a file in one step, so that REAPER never reads half of it."""
        if not self._dry_run:
            with _errors_of(path):
                write_atomically(path, content, mode=mode)

    def _remove_file(self, name: str) -> None:
        path = self._resources / name
        digest = self._installed.files.pop(name)
        if not path.exists():
            return
        with _errors_of(path):
            if file_sha256(path) != digest:
                self._report("keep (was changed)", path)
                return
            self._report("remove", path)
            if not self._dry_run:
                path.unlink()

    def _report(self, change: str, path: Path) -> None:
        self.done.append(f"{change}: {path}")


def _errors_of(path: Path) -> AbstractContextManager[None]:
    """Raises errors of the file system as `ResourceFolderError`."""
    return os_errors_as(partial(ResourceFolderError, path))

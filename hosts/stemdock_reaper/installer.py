"""Puts the scripts into REAPER's resource folder, and takes them out without a trace.

What was done is recorded in `Stemdock/installed.json`, so that it can be undone exactly.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock import parse_json
from stemdock_reaper import keyboard, places
from stemdock_reaper.errors import ReaperRunningError, ResourceFolderError
from stemdock_reaper.jobs import remove_old_jobs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHIPPED: Final = Path(__file__).parent / "lua"
_RECORD: Final = "installed.json"
_BACKUP: Final = "reaper-kb.ini before Stemdock"


@dataclass(kw_only=True)
class _Record:
    """What earlier installations have done to a resource folder."""

    files: dict[str, str] = field(default_factory=dict)
    """sha256 by path, relative to the resource folder."""
    folders: list[str] = field(default_factory=list)
    """Made by us, parents first."""
    keys_added: str = ""
    """Text in reaper-kb.ini."""
    keys_created: bool = False
    """Whether there was no reaper-kb.ini."""


class Installer:
    """One resource folder.

    Attributes:
        done: What was done, or would be, one line each.
    """

    def __init__(self, resources: Path, *, running: bool, dry_run: bool = False) -> None:
        """Looks at a folder.

        Args:
            resources: REAPER's resource folder.
            running: Whether a REAPER runs that may use it.
            dry_run: Whether only to tell what would be done.
        """
        self._resources = resources
        self._running = running
        self._dry_run = dry_run
        self._record = _read_record(places.data_folder(resources) / _RECORD)
        self.done: list[str] = []

    def install(self) -> None:
        """Installs the scripts or brings them up to date; does nothing if all is there already.

        Raises:
            ResourceFolderError: Something cannot be written.
        """
        files = dict(self._wanted_files())
        for name in sorted(set(self._record.files) - set(files) - {f"Stemdock/{_BACKUP}"}):
            self._remove_file(name)
        for name, content in files.items():
            self._write_file(name, content)
        if not self.uses_reapack and not self._running:
            self._add_keys()
        self._write_record()
        if not self._dry_run:
            remove_old_jobs(places.jobs_folder(self._resources))

    def uninstall(self) -> None:
        """Takes back everything that was installed; files that somebody has changed since stay.

        Raises:
            ReaperRunningError: REAPER runs, and has the actions in its list.
            ResourceFolderError: Something cannot be removed.
        """
        self._remove_keys()
        for name in list(self._record.files):
            self._remove_file(name)
        jobs = places.jobs_folder(self._resources)
        record = places.data_folder(self._resources) / _RECORD
        for path in filter(Path.exists, (jobs, record)):
            self._tell("remove", path)
            if not self._dry_run:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for folder in reversed(self._record.folders):
            if not self._dry_run:
                with suppress(OSError):  # not ours alone
                    (self._resources / folder).rmdir()

    @property
    def uses_reapack(self) -> bool:
        """Whether ReaPack has put the scripts there, so that ours would be a second copy."""
        return places.reapack_script(self._resources).is_file()

    @property
    def needs_registration(self) -> bool:
        """Whether the running REAPER still has to be told of the actions."""
        return self._running and not self.uses_reapack and bool(self._missing_keys(self._keys_content()))

    def _wanted_files(self) -> Iterator[tuple[str, bytes]]:
        """Every file by its path relative to the resource folder."""
        if not self.uses_reapack:
            for path in sorted(SHIPPED.rglob("*.lua")):
                yield f"Scripts/Stemdock/{path.relative_to(SHIPPED).as_posix()}", path.read_bytes()
        config = {"command": [] if places.is_sandboxed(self._resources) else command()}
        yield "Stemdock/config.json", (json.dumps(config, indent=2) + "\n").encode("ascii")

    def _missing_keys(self, content: bytes) -> bytes:
        line_end = os.linesep.encode()
        return keyboard.added_text(content, _action_paths(), str(self._resources / "Scripts"), line_end)

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
            self._record.keys_created = True
        for action in _action_paths():
            self._tell("action", Path(action))
        self._replace(path, content + added)
        self._record.keys_added = self._record.keys_added or added.decode("utf-8")

    def _remove_keys(self) -> None:
        path = self._resources / "reaper-kb.ini"
        content = self._keys_content()
        scripts = str(self._resources / "Scripts")
        kept = keyboard.without(content, self._record.keys_added.encode(), _action_paths(), scripts)
        if kept == content:
            return
        if self._running:
            raise ReaperRunningError
        self._tell("change", path)
        if self._record.keys_created and not kept:
            if not self._dry_run:
                path.unlink()
        else:
            self._replace(path, kept)

    def _write_file(self, name: str, content: bytes) -> None:
        path = self._resources / name
        self._record.files[name] = hashlib.sha256(content).hexdigest()
        if path.exists() and path.read_bytes() == content:
            return
        self._tell("write", path)
        self._make_folders(path.parent)
        self._replace(path, content)

    def _make_folders(self, folder: Path) -> None:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        for path in reversed(missing):
            self._record.folders.append(path.relative_to(self._resources).as_posix())
        if not self._dry_run:
            with _told_errors(folder):
                folder.mkdir(parents=True, exist_ok=True)

    def _replace(self, path: Path, content: bytes) -> None:
        """Writes a file in one go: REAPER must never find half of it."""
        if self._dry_run:
            return
        staged = path.with_name(path.name + ".stemdock")
        with _told_errors(path):
            staged.write_bytes(content)
            if path.exists():
                shutil.copymode(path, staged)
            staged.replace(path)

    def _remove_file(self, name: str) -> None:
        path = self._resources / name
        digest = self._record.files.pop(name)
        if not path.exists():
            return
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            self._tell("keep (changed by somebody)", path)
            return
        self._tell("remove", path)
        if not self._dry_run:
            with _told_errors(path):
                path.unlink()

    def _write_record(self) -> None:
        path = places.data_folder(self._resources) / _RECORD
        self._replace(path, (json.dumps(asdict(self._record), indent=2) + "\n").encode("ascii"))

    def _tell(self, what: str, path: Path) -> None:
        self.done.append(f"{what}: {path}")


def command() -> list[str]:
    """The program that the script starts: this interpreter, without a console window on Windows."""
    interpreter = Path(sys.executable)
    windowless = interpreter.with_name("pythonw.exe")
    if sys.platform == "win32" and windowless.exists():
        interpreter = windowless
    return [str(interpreter), "-m", "stemdock", "reaper", "work"]


def _action_paths() -> list[str]:
    """The scripts that belong in the Actions list, relative to the Scripts folder."""
    return [f"Stemdock/{path.name}" for path in sorted(SHIPPED.glob("*.lua"))]


def _read_record(path: Path) -> _Record:
    try:
        content: Mapping[str, object] = parse_json(path.read_text(encoding="ascii"))
        return _Record(**content)  # type: ignore[arg-type]
    except FileNotFoundError:
        return _Record()
    except (OSError, ValueError, TypeError) as error:
        raise ResourceFolderError(path, f"cannot be read ({error})") from error


@contextmanager
def _told_errors(path: Path) -> Iterator[None]:
    """Turns the errors of the file system into ours."""
    try:
        yield
    except OSError as error:
        raise ResourceFolderError(path, error.strerror or str(error)) from error

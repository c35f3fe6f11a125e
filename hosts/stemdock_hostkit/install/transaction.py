"""Changes to several files: all of them are made, or none."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from stemdock import make_own_folder, os_errors_as, write_atomically
from stemdock_hostkit.install.errors import ChangedMeanwhileError, FileAccessError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A change to one file."""

    path: Path
    old: bytes | None
    """Its content; None if there is no file."""
    new: bytes | None
    """None removes it."""
    mode: int | None = None
    """The most permissions that it gets. If not given, it keeps those that it has."""


def carry_out(host: str, steps: Sequence[Step], folders: Sequence[Path]) -> None:
    """Makes all changes, in this order. If one fails, all files are as they were.

    The first one, the record, is in place before anything is written for the others. Everything is written
    before the first of the others is replaced, so a full disk changes nothing.

    Args:
        host: The editor's name.
        steps: The changes; each file once.
        folders: Folders that are missing, parents first.

    Raises:
        FileAccessError: A file cannot be written or removed.
        ChangedMeanwhileError: A file no longer has its old content.
    """
    done: list[tuple[Step, int]] = []
    try:
        for group in (steps[:1], steps[1:]):
            for step in group:
                with os_errors_as(partial(FileAccessError, host, step.path)):
                    _stage(step)
            for step in group:
                with os_errors_as(partial(FileAccessError, host, step.path)):
                    _check(host, step)
                    done.append((step, _permissions(step.path)))
                    _make(step)
    except BaseException:
        for step, permissions in reversed(done):
            with suppress(OSError):
                _revert(step, permissions)
        remove_parts(step.path for step in steps)
        for folder in reversed(folders):
            with suppress(OSError):
                folder.rmdir()
        raise


def remove_parts(paths: Iterable[Path]) -> None:
    """Removes what was written for these files and did not get to its place, also by a killed process."""
    for path in paths:
        for part in (_part(path), _part(_part(path))):
            with suppress(OSError):
                part.unlink()


def content_of(host: str, path: Path) -> bytes | None:
    """The content of a file; None if there is no file.

    Raises:
        FileAccessError: It cannot be read.
    """
    with os_errors_as(partial(FileAccessError, host, path)):
        return _read(path)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _stage(step: Step) -> None:
    if step.new is None:
        return
    make_own_folder(step.path.parent)
    part = _part(step.path)
    write_atomically(part, step.new, mode=step.mode, part=_part(part))
    if step.mode is not None:
        part.chmod(_permissions(part) | step.mode & stat.S_IRWXU)  # whatever the umask is
    elif step.old is not None and step.path.lstat().st_uid == part.lstat().st_uid:
        part.chmod(_permissions(step.path))


def _check(host: str, step: Step) -> None:
    if _read(step.path) != step.old:
        raise ChangedMeanwhileError(host, step.path)


def _make(step: Step) -> None:
    if step.new is None:
        step.path.unlink()
    else:
        _part(step.path).replace(step.path)


def _revert(step: Step, permissions: int) -> None:
    if step.old is None:
        step.path.unlink(missing_ok=True)
    elif _read(step.path) != step.old:
        write_atomically(_part(step.path), step.old, mode=permissions, part=_part(_part(step.path)))
        _part(step.path).chmod(permissions)
        _part(step.path).replace(step.path)


def _part(path: Path) -> Path:
    # Editors take files for scripts by their suffix, so it is not that of the file.
    return path.with_name(f"{path.name}.part")


def _permissions(path: Path) -> int:
    """0 if there is no such file."""
    return stat.S_IMODE(path.lstat().st_mode) if os.path.lexists(path) else 0

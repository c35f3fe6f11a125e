"""Where editors and their files are on each system, and which of them are running."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stemdock import find_processes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFolders:
    """The folders in which programs keep files of one user."""

    settings: Path
    data: Path
    state: Path
    """For files that do not move to another computer."""


def user_folders(
    platform: str | None = None, home: Path | None = None, environment: Mapping[str, str] | None = None
) -> UserFolders:
    """The current user's folders.

    Args:
        platform: As `sys.platform`, which is the default.
        home: The user's home folder.
        environment: Environment variables.

    Raises:
        RuntimeError: The user has no home folder.
    """
    platform = sys.platform if platform is None else platform
    home = Path.home() if home is None else home
    environment = os.environ if environment is None else environment
    if platform == "win32":
        roaming = Path(environment.get("APPDATA", home / "AppData/Roaming"))
        local = Path(environment.get("LOCALAPPDATA", home / "AppData/Local"))
        return UserFolders(settings=roaming, data=roaming, state=local)
    if platform == "darwin":
        support = home / "Library/Application Support"
        return UserFolders(settings=support, data=support, state=support)
    return UserFolders(
        settings=Path(environment.get("XDG_CONFIG_HOME") or home / ".config"),
        data=Path(environment.get("XDG_DATA_HOME") or home / ".local/share"),
        state=Path(environment.get("XDG_STATE_HOME") or home / ".local/state"),
    )


def flatpak_folder(name: str, home: Path | None = None) -> Path:
    """The folder of a Flatpak, which cannot start programs outside it."""
    return (Path.home() if home is None else home) / ".var/app" / name


def find_program(name: str) -> Path | None:
    """The program of an editor in the usual places; None if it was not found.

    Args:
        name: The editor's name, such as "Audacity".
    """
    if sys.platform == "win32":
        roots = [os.environ.get(variable) for variable in ("ProgramFiles", "ProgramFiles(x86)")]
        return first_existing(Path(root) / name / f"{name}.exe" for root in roots if root)
    if sys.platform == "darwin":
        folders = (Path("/Applications"), Path.home() / "Applications")
        return first_existing(folder / f"{name}.app/Contents/MacOS" / name for folder in folders)
    found = shutil.which(name.lower())
    return Path(found) if found else None


def first_existing(candidates: Iterable[Path]) -> Path | None:
    """The first path at which there is something."""
    return next((path for path in candidates if path.exists()), None)


def running_programs(*names: str) -> dict[int, Path]:
    """The running instances of an editor.

    Args:
        names: Names of the program in lower case, without ".exe".

    Returns:
        The program file by process id; only its name where the system does not show its folder.
    """
    return find_processes([each for name in names for each in (name, f"{name}.exe")])

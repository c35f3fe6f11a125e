"""Where Audacity 4 keeps its extensions on each system."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock_audacity.profile.versions import has_extensions
from stemdock_hostkit.finding import flatpak_folder, user_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

_DATA: Final = "Audacity/Audacity4"
_SETTINGS: Final = "Audacity/Audacity4.ini"
_PROGRAMS: Final = ("audacity4", "audacity")
_FOLDERS: Final = ("Audacity 4", "Audacity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Audacity4:
    """An Audacity 4 of one user."""

    data: Path
    """The folder that contains `extensions`; Audacity creates it at its first start."""
    program: Path | None = None
    """None if it was not found, such as an AppImage in any folder."""
    sandboxed: bool = False
    """Whether it is a Flatpak, which cannot start Stemdock."""

    @property
    def name(self) -> str:
        """Name for the user."""
        return "Audacity 4 (Flatpak)" if self.sandboxed else "Audacity 4"

    @property
    def extensions(self) -> Path:
        """The folder of all extensions."""
        return self.data / "extensions"


def find_all() -> list[Audacity4]:
    """The current user's installations of Audacity 4."""
    usual = usual_place()
    found = []
    if usual.program or usual.data.is_dir() or (user_folders().settings / _SETTINGS).is_file():
        found.append(usual)
    flatpak = flatpak_folder("org.audacityteam.Audacity") / "data" / _DATA
    if flatpak.is_dir():
        found.append(Audacity4(data=flatpak, sandboxed=True))
    return found


def usual_place() -> Audacity4:
    """Where Audacity 4 is, or would be."""
    folders = user_folders()
    data = (folders.state if sys.platform == "win32" else folders.data) / _DATA
    return Audacity4(data=data, program=find_program())


def find_program() -> Path | None:
    """The program of Audacity 4 in the usual places; None if it was not found."""
    return next(filter(has_extensions, _candidates()), None)


def state_folder() -> Path:
    """Where the installation is recorded, and where jobs are."""
    return user_folders().state / "stemdock/audacity4"


def _candidates() -> Iterator[Path]:
    if sys.platform == "win32":
        roots = [os.environ.get(variable) for variable in ("ProgramW6432", "ProgramFiles")]
        for root in filter(None, roots):
            for name in _FOLDERS:
                yield from (
                    Path(root, name, part)
                    for part in ("Audacity.exe", "bin/Audacity4.exe", "bin/Audacity.exe")
                )
    elif sys.platform == "darwin":
        for folder in (Path("/Applications"), Path.home() / "Applications"):
            for name in _FOLDERS:
                yield from (folder / f"{name}.app/Contents/MacOS" / part for part in ("Audacity", "audacity"))
    else:
        yield from (Path(found) for found in map(shutil.which, _PROGRAMS) if found)

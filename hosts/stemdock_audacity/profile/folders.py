"""Where Audacity, its settings and its plug-ins are on each system."""

from __future__ import annotations

import os
import plistlib
import re
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock_audacity.profile.settings import get_value
from stemdock_audacity.profile.text_files import read_text
from stemdock_audacity.profile.versions import has_extensions
from stemdock_hostkit.finding import find_program, first_existing, flatpak_folder, user_folders

if TYPE_CHECKING:
    from stemdock_hostkit.finding import UserFolders

MODULE: Final = "mod-script-pipe"
PLUGIN_FILES: Final = ("stemdock-separate.ny", "stemdock-status.ny")
_FIRST_WITHOUT_PIPE: Final = 4
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_LINUX_MODULES: Final = (
    "/usr/lib/audacity/modules",
    "/usr/lib64/audacity/modules",
    "/usr/local/lib/audacity/modules",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The Audacity of one user."""

    settings: Path
    """audacity.cfg; Audacity creates it at its first start."""
    plugins: Path
    """Folder for the user's plug-ins."""
    program: Path | None
    """None if it was not found, such as an AppImage in any folder."""
    module: Path | None
    """The library of mod-script-pipe; None if it was not found."""
    sandboxed: bool
    """Whether it is a Flatpak, which cannot start Stemdock."""


def find_profile() -> Profile:
    """The current user's Audacity 3."""
    program = find_program("Audacity")
    if program and has_extensions(program):
        program = None
    folders = user_folders()
    if sys.platform == "win32":
        return _bundled(program, folders, f"modules/{MODULE}.dll")
    if sys.platform == "darwin":
        return _bundled(program, folders, f"../modules/{MODULE}.so")
    return _linux(program, folders)


def _bundled(program: Path | None, folders: UserFolders, library: str) -> Profile:
    """Audacity on a system where it brings its modules with it, at a path relative to its program."""
    data = folders.data / "audacity"
    return Profile(
        settings=data / "audacity.cfg",
        plugins=data / "Plug-Ins",
        program=program,
        module=first_existing([Path(os.path.normpath(program.parent / library))] if program else []),
        sandboxed=False,
    )


def _linux(program: Path | None, folders: UserFolders) -> Profile:
    flatpak = flatpak_folder("org.audacityteam.Audacity")
    if program is None and flatpak.is_dir():
        return Profile(
            settings=flatpak / "config/audacity/audacity.cfg",
            plugins=flatpak / "data/audacity/Plug-Ins",
            program=None,
            module=None,
            sandboxed=True,
        )
    old = Path.home() / ".audacity-data"
    config, data = folders.settings / "audacity", folders.data / "audacity"
    if old.is_dir():  # versions from 3.2 on keep using this folder if it exists
        config = data = old
    modules = [Path(folder) for folder in _LINUX_MODULES]
    if program:
        modules.insert(0, program.resolve().parent.parent / "lib/audacity/modules")
    return Profile(
        settings=config / "audacity.cfg",
        plugins=data / "Plug-Ins",
        program=program,
        module=first_existing(folder / f"{MODULE}.so" for folder in modules),
        sandboxed=False,
    )


def read_setting(profile: Profile, section: str, key: str) -> str:
    """A value of Audacity's settings; "" if it or the file is missing or unreadable."""
    try:
        text = read_text(profile.settings)
    except OSError:
        return ""
    return (get_value(text, section, key) or "").strip()


def find_version(profile: Profile) -> str:
    """Version of Audacity, "" if unknown; on Linux and Windows that of the last start."""
    if profile.program and sys.platform == "darwin":
        try:
            info = plistlib.loads((profile.program.parents[1] / "Info.plist").read_bytes())
            return str(info.get("CFBundleShortVersionString", ""))
        # A damaged file raises errors of many types in plistlib.
        except Exception:  # noqa: BLE001
            return ""
    parts = [read_setting(profile, "Version", key) for key in ("Major", "Minor", "Micro")]
    return ".".join(parts) if all(parts) else ""


def has_no_pipe(version: str) -> bool:
    """Whether this version of Audacity, "" if unknown, has no mod-script-pipe."""
    major = version.partition(".")[0]
    return _NUMBER.fullmatch(major) is not None and int(major) >= _FIRST_WITHOUT_PIPE


def module_time(module: Path) -> str:
    """The module's date as Audacity writes it into its settings: local time, whole seconds."""
    return datetime.fromtimestamp(int(module.stat().st_mtime)).isoformat()  # noqa: DTZ006  Audacity uses local time

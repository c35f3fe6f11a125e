"""Where REAPER keeps its files; changes nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock_hostkit.finding import flatpak_folder, user_folders

if TYPE_CHECKING:
    from collections.abc import Mapping

ACTION_SCRIPT: Final = "Stemdock - Separate selected items into stems.lua"
FLATPAK_PART: Final = "fm.reaper.Reaper"
REAPACK_CATEGORY: Final = "Items Editing"


def resource_folders(
    platform: str = sys.platform, home: Path | None = None, environment: Mapping[str, str] | None = None
) -> list[Path]:
    """The resource folders in REAPER's usual places; portable installations are elsewhere.

    Args:
        platform: As `sys.platform`.
        home: The user's home folder.
        environment: Environment variables.

    Returns:
        Folders with a `reaper.ini` in them.
    """
    home = Path.home() if home is None else home
    candidates = [user_folders(platform, home, environment).settings / "REAPER"]
    if platform not in {"win32", "darwin"}:
        candidates += [home / ".config/REAPER", flatpak_folder(FLATPAK_PART, home) / "config/REAPER"]
    return [folder for folder in dict.fromkeys(candidates) if is_resource_folder(folder)]


def is_resource_folder(folder: Path) -> bool:
    """Whether REAPER has used this folder."""
    return (folder / "reaper.ini").is_file()


def is_sandboxed(folder: Path) -> bool:
    """Whether the folder belongs to the Flatpak, which cannot start programs outside it."""
    return FLATPAK_PART in folder.parts


def script_folder(resources: Path) -> Path:
    """The folder in which `plugin-cli reaper install` installs the scripts."""
    return resources / "Scripts" / "Stemdock"


def reapack_script(resources: Path) -> Path:
    """The action's script where ReaPack installs it."""
    return script_folder(resources) / REAPACK_CATEGORY / ACTION_SCRIPT


def data_folder(resources: Path) -> Path:
    """The folder for the configuration and the jobs, for both ways of installing."""
    return resources / "Stemdock"


def config_path(resources: Path) -> Path:
    """The file that names the program for the script to start."""
    return data_folder(resources) / "config.json"


def jobs_folder(resources: Path) -> Path:
    """The parent of the job folders."""
    return data_folder(resources) / "jobs"

"""Where REAPER keeps its files, and whether REAPER is running; changes nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock import find_processes

if TYPE_CHECKING:
    from collections.abc import Mapping

ACTION_SCRIPT: Final = "Stemdock - Separate selected items into stems.lua"
FLATPAK_PART: Final = "fm.reaper.Reaper"
REAPACK_CATEGORY: Final = "Items Editing"
_PROGRAM_NAMES: Final = ("reaper", "reaper.exe")


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
    environment = os.environ if environment is None else environment
    if platform == "win32":
        candidates = [Path(environment.get("APPDATA", home / "AppData" / "Roaming")) / "REAPER"]
    elif platform == "darwin":
        candidates = [home / "Library" / "Application Support" / "REAPER"]
    else:
        candidates = [
            Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "REAPER",
            home / ".config" / "REAPER",
            home / ".var" / "app" / FLATPAK_PART / "config" / "REAPER",
        ]
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


def running_programs() -> list[Path]:
    """The program file of each running REAPER; only its name where the system does not show more."""
    return list(find_processes(_PROGRAM_NAMES).values())

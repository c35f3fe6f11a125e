"""Where REAPER keeps its files, and whether it runs; reads only, starts nothing of REAPER's."""

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
    """Every resource folder in one of REAPER's usual places; portable installations have none.

    Args:
        platform: As `sys.platform`.
        home: The person's home folder.
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
    """Whether REAPER has ever used it."""
    return (folder / "reaper.ini").is_file()


def is_sandboxed(folder: Path) -> bool:
    """Whether it belongs to the Flatpak, which may not start programs of the host."""
    return FLATPAK_PART in folder.parts


def script_folder(resources: Path) -> Path:
    """Where `plugin-cli reaper install` puts the scripts."""
    return resources / "Scripts" / "Stemdock"


def reapack_script(resources: Path) -> Path:
    """The action as ReaPack would install it from our index."""
    return script_folder(resources) / REAPACK_CATEGORY / ACTION_SCRIPT


def data_folder(resources: Path) -> Path:
    """The configuration and the jobs, shared by both ways of installing."""
    return resources / "Stemdock"


def config_path(resources: Path) -> Path:
    """The file that tells the script which program to start."""
    return data_folder(resources) / "config.json"


def jobs_folder(resources: Path) -> Path:
    """Parent of the job folders."""
    return data_folder(resources) / "jobs"


def running_programs() -> list[Path]:
    """The program file of each running REAPER; only its name where the system does not show more."""
    return list(find_processes(_PROGRAM_NAMES).values())

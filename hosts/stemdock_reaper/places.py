"""Where REAPER keeps its files, and whether it runs; reads only, starts nothing of REAPER's."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

ACTION_SCRIPT: Final = "Stemdock - Separate selected items into stems.lua"
FLATPAK_PART: Final = "fm.reaper.Reaper"
REAPACK_CATEGORY: Final = "Items Editing"


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


def running_programs(platform: str = sys.platform) -> list[Path]:
    """The executable of each running REAPER of this person, as far as it can be found out."""
    if platform == "linux":
        return _linux_programs(Path("/proc"))
    if platform == "win32":
        command = ["powershell", "-NoProfile", "-Command", "(Get-Process -Name reaper).Path"]
    else:
        command = ["ps", "-axo", "comm="]
    lines = _output(command).splitlines()
    return [Path(line.strip()) for line in lines if _is_reaper(line.strip().replace("\\", "/"))]


def _is_reaper(path: str) -> bool:
    return path.rsplit("/", maxsplit=1)[-1].lower() in {"reaper", "reaper.exe"}


def _linux_programs(processes: Path) -> list[Path]:
    found = []
    for comm in processes.glob("[0-9]*/comm"):
        # Processes end while we look, and those of others do not show their executable.
        with suppress(OSError):
            if comm.read_text(encoding="utf-8", errors="replace").strip() == "reaper":
                executable = comm.with_name("exe")
                found.append(executable.readlink() if os.access(executable, os.R_OK) else Path("reaper"))
    return found


def _output(command: list[str]) -> str:
    try:
        completed = subprocess.run(  # noqa: S603  fixed command lines
            command, capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return completed.stdout.decode(errors="replace")

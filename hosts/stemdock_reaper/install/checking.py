"""The checks for `plugin-cli doctor` and `plugin-cli reaper doctor`; they change nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stemdock import Check, parse_json_as
from stemdock_reaper.install import keyboard
from stemdock_reaper.link import running as link
from stemdock_reaper.profile import places

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_INSTALL = "Run: plugin-cli reaper install"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Config:
    """The file that the script reads."""

    command: tuple[str, ...]


def diagnose(folders: Sequence[Path] | None = None, *, running: bool | None = None) -> list[Check]:
    """Checks each installation of REAPER; neither starts nor contacts REAPER.

    Args:
        folders: Resource folders; by default those in the usual places.
        running: Whether REAPER is running; by default looked up.
    """
    folders = places.resource_folders() if folders is None else folders
    if not folders:
        return [
            Check(
                subject="reaper",
                status="warning",
                detail="not found in the usual places.",
                remedy="For a portable installation, run: plugin-cli reaper doctor --resource-path FOLDER",
            )
        ]
    running = bool(link.running_programs()) if running is None else running
    state = "REAPER is running" if running else "REAPER is not running"
    checks = []
    for folder in folders:
        checks.append(Check(subject="reaper", status="ok", detail=f"{folder} ({state})"))
        checks += [_script(folder), _registration(folder), _command(folder), _jobs(folder)]
    return checks


def _script(folder: Path) -> Check:
    ours = places.script_folder(folder) / places.ACTION_SCRIPT
    theirs = places.reapack_script(folder)
    if ours.is_file() and theirs.is_file():
        return _warning(
            "script",
            f"installed twice: {ours} and {theirs}.",
            "Uninstall one of the two.",
        )
    for path in (ours, theirs):
        if path.is_file():
            return Check(subject="reaper script", status="ok", detail=str(path))
    return _warning("script", "not installed.", _INSTALL)


def _registration(folder: Path) -> Check:
    keys = folder / "reaper-kb.ini"
    scripts = folder / "Scripts"
    paths = [
        path.relative_to(scripts).as_posix()
        for path in (places.script_folder(folder) / places.ACTION_SCRIPT, places.reapack_script(folder))
    ]
    try:
        lines = keys.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except FileNotFoundError:
        lines = []
    except OSError as error:
        return _warning("action", f"{keys} cannot be read ({error.strerror}).", "Check its permissions.")
    if any(keyboard.names_script(line, path, str(scripts)) for line in lines for path in paths):
        return Check(subject="reaper action", status="ok", detail="in the Actions list")
    return _warning("action", "not in the Actions list.", _INSTALL)


def _command(folder: Path) -> Check:
    path = places.config_path(folder)
    try:
        command = parse_json_as(_Config, path.read_bytes(), ignore_unknown=True).command
    except FileNotFoundError:
        return _warning("program", "the script does not know how to start Stemdock.", _INSTALL)
    except (OSError, ValueError) as error:
        return _warning("program", f"{path} is damaged ({error}).", _INSTALL)
    if not command:
        detail = "this REAPER cannot start programs; keep running: plugin-cli reaper serve"
        return Check(subject="reaper program", status="ok", detail=detail)
    if not os.access(command[0], os.X_OK):
        return _warning("program", f"{command[0]} does not exist or cannot be run.", _INSTALL)
    return Check(subject="reaper program", status="ok", detail=" ".join(command))


def _jobs(folder: Path) -> Check:
    nearest = places.jobs_folder(folder)
    while not nearest.exists():
        nearest = nearest.parent
    if os.access(nearest, os.W_OK):
        return Check(subject="reaper jobs", status="ok", detail=f"{places.jobs_folder(folder)} is writable")
    return _warning("jobs", f"{nearest} is not writable.", "Check its permissions.")


def _warning(subject: str, detail: str, remedy: str) -> Check:
    # Never a failure: Stemdock works without REAPER.
    return Check(subject=f"reaper {subject}", status="warning", detail=detail, remedy=remedy)

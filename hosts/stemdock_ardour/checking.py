"""The checks for `plugin-cli doctor` and `plugin-cli ardour doctor`; they change nothing."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from stemdock import Check, HostError
from stemdock_ardour import places
from stemdock_ardour.errors import SEPARATE_ELSEWHERE
from stemdock_ardour.setup import is_listed
from stemdock_ardour.tables import rows
from stemdock_hostkit.window.ability import check_window

if TYPE_CHECKING:
    from stemdock_ardour.places import Ardour

_SANDBOX = re.compile(r'"sandbox-all-lua-scripts"\s+value="1"')
_INSTALL = "Close Ardour, and run: plugin-cli ardour install"


def diagnose() -> list[Check]:
    """Checks each version of Ardour; neither starts nor contacts it."""
    if not places.is_supported():
        return [_warning("", "the actions do not work on Windows.", SEPARATE_ELSEWHERE)]
    found = places.find_all()
    if not found:
        return [_warning("", "no settings of Ardour 7 or newer were found.", "Start Ardour once.")]
    state = "Ardour is running" if places.is_running() else "Ardour is not running"
    checks = []
    for ardour in found:
        checks.append(_ok("", f"{ardour.folder} ({state})"))
        checks += [_scripts(ardour), _sandbox(ardour), _program(ardour)]
    return [*checks, check_window("ardour")]


def _scripts(ardour: Ardour) -> Check:
    try:
        if not ardour.data.is_dir() or not is_listed(ardour):
            return _warning(" scripts", "not installed, or not up to date.", _INSTALL)
    except HostError as error:
        return _warning(" scripts", str(error), error.remedy)
    return _ok(" scripts", "on two buttons")


def _sandbox(ardour: Ardour) -> Check:
    for name in ("ui_config", "config"):
        path = ardour.folder / name
        try:
            is_on = _SANDBOX.search(path.read_text("utf-8", "replace"))
        except OSError:
            continue
        if is_on:
            return _warning(
                " settings",
                "scripts may not start programs.",
                f'Close Ardour, and change the value of sandbox-all-lua-scripts to "0" in {path}',
            )
    return _ok(" settings", "scripts may start programs")


def _program(ardour: Ardour) -> Check:
    try:
        commands = rows((ardour.data / "commands.tsv").read_text("utf-8"))
    except OSError:
        return _warning(" program", "the script does not know how to start Stemdock.", _INSTALL)
    program = commands[0][1] if commands and len(commands[0]) > 1 else ""
    if not os.access(program, os.X_OK):
        return _warning(" program", f"{program} does not exist or cannot be run.", _INSTALL)
    return _ok(" program", program)


def _ok(subject: str, detail: str) -> Check:
    return Check(subject=f"ardour{subject}", status="ok", detail=detail)


def _warning(subject: str, detail: str, remedy: str) -> Check:
    # Never a failure: Stemdock works without Ardour.
    return Check(subject=f"ardour{subject}", status="warning", detail=detail, remedy=remedy)

"""The checks of Audacity for `plugin-cli doctor`."""

from __future__ import annotations

from stemdock import Check
from stemdock_audacity.errors import QueueFolderError
from stemdock_audacity.jobs.queue import default_queue
from stemdock_audacity.profile.folders import (
    MODULE,
    PLUGIN_FILES,
    Profile,
    find_profile,
    find_version,
    has_no_pipe,
    module_time,
    read_setting,
)
from stemdock_hostkit.window.ability import check_window

_INSTALL = "Close Audacity and run `plugin-cli audacity install`."


def diagnose() -> list[Check]:
    """Checks Audacity's files; neither starts nor contacts Audacity."""
    profile = find_profile()
    if not (profile.program or profile.settings.exists() or profile.sandboxed):
        return [
            Check(
                subject="audacity",
                status="warning",
                detail="not found.",
                remedy="Install Audacity 3 if you want to separate stems in it.",
            )
        ]
    return [
        _program(profile),
        _settings(profile),
        _module(profile),
        _plugins(profile),
        check_window("audacity"),
    ]


def _program(profile: Profile) -> Check:
    version = find_version(profile)
    if has_no_pipe(version):
        return Check(
            subject="audacity",
            status="warning",
            detail=f"version {version} has no {MODULE}.",
            remedy="Use Audacity 3, or separate files with `plugin-cli separate`.",
        )
    if profile.sandboxed:
        return Check(
            subject="audacity",
            status="warning",
            detail="this is the Flatpak, which is not allowed to start Stemdock.",
            remedy="Install Audacity from your distribution or audacityteam.org, "
            "or run `plugin-cli audacity separate`.",
        )
    name = f"version {version}" if version else "version unknown until its first start"
    if profile.program is None:
        return Check(
            subject="audacity",
            status="warning",
            detail=f"{name}; the program was not found.",
            remedy="Start Audacity yourself.",
        )
    return Check(subject="audacity", status="ok", detail=f"{name} ({profile.program})")


def _settings(profile: Profile) -> Check:
    if profile.settings.exists():
        return Check(subject="audacity settings", status="ok", detail=str(profile.settings))
    return Check(
        subject="audacity settings",
        status="warning",
        detail=f"{profile.settings} does not exist yet.",
        remedy=_INSTALL,
    )


def _module(profile: Profile) -> Check:
    subject = f"audacity {MODULE}"
    if read_setting(profile, "Module", MODULE) != "1":
        return Check(
            subject=subject,
            status="warning",
            detail="off: finished stems have to be brought in by Stem Status.",
            remedy=_INSTALL,
        )
    if profile.module and read_setting(profile, "ModuleDateTime", MODULE) != module_time(profile.module):
        return Check(
            subject=subject,
            status="warning",
            detail="off: it was switched on for another version of Audacity or in another time zone.",
            remedy=_INSTALL,
        )
    return Check(subject=subject, status="ok", detail="on")


def _plugins(profile: Profile) -> Check:
    subject = "audacity plug-in"
    try:
        queue = default_queue()
    except QueueFolderError as error:
        return Check(subject=subject, status="warning", detail=f"{error}.", remedy=error.remedy)
    missing = [name for name in PLUGIN_FILES if not (profile.plugins / name).exists()]
    if missing or not queue.inbox.is_dir():
        return Check(subject=subject, status="warning", detail="not installed.", remedy=_INSTALL)
    return Check(subject=subject, status="ok", detail=str(profile.plugins))

"""Installs the scripts in REAPER's resource folder, and uninstalls them completely."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from stemdock_hostkit.install.plan import Edit
from stemdock_hostkit.install.transaction import content_of
from stemdock_hostkit.job.folder import remove_old_jobs
from stemdock_reaper.errors import HOST, ReaperRunningError
from stemdock_reaper.install import keyboard
from stemdock_reaper.install.installed import BACKUP, KEYS, LINES, installation
from stemdock_reaper.install.shipped import action_paths, wanted_files
from stemdock_reaper.profile import places

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_hostkit.install.installation import Installation
    from stemdock_hostkit.install.plan import Change


def install(resources: Path, *, running: bool, dry_run: bool = False) -> list[Change]:
    """Installs or updates the scripts.

    Args:
        resources: REAPER's resource folder.
        running: Whether REAPER is running, and will overwrite its list of actions.
        dry_run: Whether to change nothing.

    Returns:
        The changes; none if everything is up to date.

    Raises:
        HostError: As `Installation` and `Installation.install` do.
    """
    present = installation(resources)
    with_scripts = not uses_reapack(resources)
    files = list(wanted_files(resources, with_scripts=with_scripts))
    edits = [] if running or not with_scripts else _adding(present, resources)
    changes = present.install(files, edits, dry_run=dry_run)
    if not dry_run:
        remove_old_jobs(places.jobs_folder(resources))
    return changes


def uninstall(resources: Path, *, running: bool, dry_run: bool = False) -> list[Change]:
    """Removes everything that was installed, except files that were changed since then.

    The arguments and the result are those of `install`.

    Raises:
        ReaperRunningError: REAPER is running and has the actions in its list.
        HostError: As `Installation` and `Installation.uninstall` do.
    """
    present = installation(resources)
    edits = _removing(present, resources)
    if edits and running:
        raise ReaperRunningError
    return present.uninstall(edits, trees=[places.jobs_folder(resources)], dry_run=dry_run)


def uses_reapack(resources: Path) -> bool:
    """Whether ReaPack has installed the scripts, so that no second copy is needed."""
    return places.reapack_script(resources).is_file()


def lists_actions(resources: Path) -> bool:
    """Whether the actions are in REAPER's list, as far as REAPER has saved it."""
    return not _missing(content_of(HOST, resources / KEYS) or b"", resources)


def _adding(present: Installation, resources: Path) -> list[Edit]:
    old = content_of(HOST, resources / KEYS)
    added = _missing(old or b"", resources)
    if not added:
        return []
    path = resources / KEYS
    # Later additions are found by the scripts' names; only the first can be undone to the byte.
    lines = present.edit_record(path).after.get(LINES) or added.decode("utf-8")
    new = (old or b"") + added
    backup = resources / BACKUP
    return [Edit(path=path, old=old, new=new, before={LINES: None}, after={LINES: lines}, backup=backup)]


def _removing(present: Installation, resources: Path) -> list[Edit]:
    path = resources / KEYS
    old = content_of(HOST, resources / KEYS)
    known = present.edit_record(path)
    lines = (known.after.get(LINES) or "").encode()
    kept = keyboard.without(old or b"", lines, action_paths(), str(resources / "Scripts"))
    if old is None or kept == old:
        return []
    return [Edit(path=path, old=old, new=None if known.created and not kept else kept)]


def _missing(content: bytes, resources: Path) -> bytes:
    return keyboard.added_text(content, action_paths(), str(resources / "Scripts"), os.linesep.encode())

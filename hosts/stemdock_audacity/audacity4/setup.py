"""Installing the extension into Audacity 4 and uninstalling it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock_audacity.audacity4.bundle import bundle_files
from stemdock_audacity.audacity4.places import state_folder
from stemdock_audacity.errors import HOST, ExtensionInUseError, SandboxError
from stemdock_hostkit.finding import running_programs
from stemdock_hostkit.install.installation import Installation
from stemdock_hostkit.install.plan import Place

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock_audacity.audacity4.places import Audacity4
    from stemdock_hostkit.install.plan import Change


def installation(place: Audacity4) -> Installation:
    """The installation in this user's Audacity 4; empty if nothing is installed.

    Raises:
        RecordError: The record cannot be read.
        RecordVersionError: A newer Stemdock wrote the record.
    """
    return Installation(Place(host=HOST, record=state_folder() / "installed.json", base=place.data))


def jobs_folder() -> Path:
    """Where the library makes the folders of jobs."""
    return state_folder() / "jobs"


def install(place: Audacity4, *, dry_run: bool = False) -> list[Change]:
    """Installs the extension, and removes an older version of it.

    Args:
        place: Where Audacity is.
        dry_run: Whether to change nothing.

    Returns:
        The changes; none if everything is up to date.

    Raises:
        SandboxError: This Audacity cannot start Stemdock.
        NoLibraryError: This Stemdock was built without its library.
        ExtensionInUseError: An older version has to be removed, and Audacity is running.
        HostError: As `Installation` and `Installation.install` do.
    """
    if place.sandboxed:
        raise SandboxError
    present = installation(place)
    files = bundle_files(place, jobs_folder())
    changes = present.install(files, dry_run=True)
    _require_closed(changes)
    return changes if dry_run else present.install(files)


def uninstall(place: Audacity4, *, dry_run: bool = False) -> list[Change]:
    """Removes the extension.

    The arguments and the result are those of `install`.

    Raises:
        ExtensionInUseError: Audacity is running.
        HostError: As `Installation` and `Installation.uninstall` do.
    """
    present = installation(place)
    changes = present.uninstall(trees=[jobs_folder()], dry_run=True)
    _require_closed(changes)
    return changes if dry_run else present.uninstall(trees=[jobs_folder()])


def _require_closed(changes: Sequence[Change]) -> None:
    """Refuses to remove what Audacity may have loaded. Adding to it is harmless."""
    is_removing = any(
        change.action == "remove" and change.path.name != "installed.json" for change in changes
    )
    if is_removing and running_programs("audacity", "audacity4"):
        raise ExtensionInUseError

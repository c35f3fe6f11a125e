"""Every Audacity of this user, version 3 or 4: the same commands install, check and start them."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Final

from stemdock import StemdockError
from stemdock_audacity.audacity4 import checking as checking4
from stemdock_audacity.audacity4 import places
from stemdock_audacity.audacity4 import setup as setup4
from stemdock_audacity.errors import InstallError
from stemdock_audacity.install import checking, setup
from stemdock_audacity.profile.folders import find_profile, find_version, has_no_pipe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from stemdock import Check, ModelEntry
    from stemdock_audacity.audacity4.places import Audacity4
    from stemdock_audacity.jobs.queue import JobQueue
    from stemdock_audacity.profile.folders import Profile
    from stemdock_hostkit.install.plan import Change

_SETTLING_TIME: Final = 1.5
"""Seconds after which a program that has not ended counts as started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command did to one Audacity."""

    name: str
    """Of the Audacity, for the user."""
    version: int
    changes: Sequence[Change] = ()
    error: StemdockError | None = None


def install(queue: JobQueue, models: Sequence[ModelEntry], *, dry_run: bool = False) -> list[Outcome]:
    """Installs Stemdock into every Audacity that was found; without any, where Audacity 3 would look.

    Args:
        queue: Where requests of Audacity 3 will be kept.
        models: The models in the dialog of Audacity 3.
        dry_run: Whether to change nothing.

    Returns:
        What became of each, also of those that failed.
    """
    return _with_each(
        lambda profile: setup.install(profile, queue, models, dry_run=dry_run),
        lambda place: setup4.install(place, dry_run=dry_run),
    )


def uninstall(queue: JobQueue, *, dry_run: bool = False) -> list[Outcome]:
    """Removes Stemdock from every Audacity, also from one that is no longer there.

    The arguments and the result are those of `install`.
    """
    profile = find_profile()
    outcomes = [_outcome(_name(profile), 3, lambda: setup.uninstall(profile, queue, dry_run=dry_run))]
    place = places.usual_place()
    outcomes.append(_outcome(place.name, 4, lambda: setup4.uninstall(place, dry_run=dry_run)))
    return outcomes


def diagnose() -> list[Check]:
    """Checks the files of every Audacity; neither starts nor contacts one."""
    found = places.find_all()
    checks = checking.diagnose() if _has_3(find_profile(), found) else []
    return [*checks, *(check for place in found for check in checking4.diagnose(place))]


def program_4() -> Path | None:
    """The program of Audacity 4, if there is one and no Audacity 3 to start."""
    return None if find_profile().program else places.find_program()


def start_4(program: Path) -> int:
    """Starts Audacity 4, which needs nothing else.

    Returns:
        Its process id.

    Raises:
        InstallError: It ended at once.
    """
    null = subprocess.DEVNULL
    process = subprocess.Popen([program], stdin=null, stdout=null, stderr=null, start_new_session=True)  # noqa: S603
    Thread(target=process.wait, daemon=True).start()
    time.sleep(_SETTLING_TIME)
    if process.poll():
        raise InstallError(
            f"{program} ended right after its start", remedy="Start Audacity yourself and read its message."
        )
    return process.pid


def _with_each(
    on_3: Callable[[Profile], list[Change]], on_4: Callable[[Audacity4], list[Change]]
) -> list[Outcome]:
    profile, found = find_profile(), places.find_all()
    outcomes = []
    if _has_3(profile, found):
        outcomes.append(_outcome(_name(profile), 3, partial(on_3, profile)))
    outcomes += [_outcome(place.name, 4, partial(on_4, place)) for place in found]
    return outcomes


def _outcome(name: str, version: int, action: Callable[[], list[Change]]) -> Outcome:
    try:
        return Outcome(name=name, version=version, changes=action())
    except StemdockError as error:
        return Outcome(name=name, version=version, error=error)


def _has_3(profile: Profile, found: Sequence[Audacity4]) -> bool:
    """Whether there is an Audacity 3, or nothing that says which version there is."""
    return bool(profile.program) or profile.settings.exists() or not found


def _name(profile: Profile) -> str:
    version = find_version(profile)
    number = 3 if not version or has_no_pipe(version) else version
    if profile.sandboxed:
        return f"Audacity {number} (Flatpak)"
    return f"Audacity {number}" if profile.program else f"Audacity {number} (its program was not found)"

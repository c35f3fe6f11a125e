"""Changes to Audacity's settings file, and their reversal.

The previous values are kept beside the queue in installed.json, so that uninstalling restores exactly
what installing changed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from stemdock import make_own_folder, parse_json_as
from stemdock_audacity.capture.preference import DEFAULT, MARKER, PREFERENCE, escape_setting, noted_value
from stemdock_audacity.errors import InstallError, RunningError
from stemdock_audacity.link.processes import find_audacity
from stemdock_audacity.profile.folders import MODULE, module_time
from stemdock_audacity.profile.settings import get_value, set_value
from stemdock_audacity.profile.text_files import read_text, write_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stemdock_audacity.jobs.queue import JobQueue
    from stemdock_audacity.profile.folders import Profile

_BACKUP: Final = "audacity.cfg.before-stemdock"
_MODE: Final = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class _Installed:
    """The content of installed.json. Keys are "section/key"."""

    former: Mapping[str, str | None] = field(default_factory=dict)
    """Values before the installation; None for a missing key."""
    set: Mapping[str, str] = field(default_factory=dict)
    """Values that the installation wrote."""
    made_settings: bool | None = None
    """Whether there was no settings file before; None before the first installation."""


def switch_on_module(profile: Profile, queue: JobQueue) -> list[str]:
    """Switches mod-script-pipe on.

    Returns:
        What was done, one sentence each.

    Raises:
        InstallError: The settings are damaged.
        RunningError: The settings must change, and Audacity is running.
    """
    wanted = {("Module", MODULE): "1"}
    if profile.module:
        wanted["ModulePath", MODULE] = escape_setting(str(profile.module))
        wanted["ModuleDateTime", MODULE] = module_time(profile.module)
    text = read_text(profile.settings)
    if "\0" in text:
        raise InstallError(
            f"{profile.settings} is damaged: it contains null characters",
            remedy="Rename this file. Audacity writes a new one at its next start.",
        )
    changes = {place: value for place, value in wanted.items() if get_value(text, *place) != value}
    if not changes:
        return [f"{MODULE} was already switched on."]
    if find_audacity():
        raise RunningError
    known = _read_installed(queue)
    before = {f"{section}/{key}": get_value(text, section, key) for section, key in changes}
    installed = _Installed(
        former={**before, **known.former},
        made_settings=not profile.settings.exists() if known.made_settings is None else known.made_settings,
        set={**known.set, **{"/".join(place): value for place, value in wanted.items()}},
    )
    queue.prepare()
    write_text(installed_path(queue), json.dumps(asdict(installed), indent=1), mode=_MODE)
    done = []
    if profile.settings.exists():
        backup = profile.settings.with_name(_BACKUP)
        if not backup.exists():
            write_text(backup, text)
            done.append(f"Saved a copy of the settings as {backup}.")
    for place, value in changes.items():
        text = set_value(text, *place, value)
    make_own_folder(profile.settings.parent)
    write_text(profile.settings, text)
    return [*done, f"Switched {MODULE} on in {profile.settings}."]


def restore_settings(profile: Profile, queue: JobQueue) -> list[str]:
    """Restores the values from before the installation; later changes by other programs stay.

    Returns:
        What was done, one sentence each.

    Raises:
        RunningError: The settings must change, and Audacity is running.
    """
    installed = _read_installed(queue)
    done = restore_export_command(profile, queue)
    text = read_text(profile.settings)
    restored = _restored(text, installed)
    if restored != text:
        if find_audacity():
            raise RunningError
        if installed.made_settings and not restored.strip():
            profile.settings.unlink()
        else:
            write_text(profile.settings, restored)
        done.append(f"Restored the settings in {profile.settings}.")
    (profile.settings.with_name(_BACKUP)).unlink(missing_ok=True)
    return done


def restore_export_command(profile: Profile, queue: JobQueue) -> list[str]:
    """Restores the user's export command after a crash in which the plug-in had replaced it.

    Returns:
        What was done, at most one sentence. Nothing is done while Audacity is running.
    """
    section, _, key = PREFERENCE.partition("/")
    text = read_text(profile.settings)
    notes = queue.inbox / "preference.txt"
    if MARKER not in (get_value(text, section, key) or "") or not notes.exists() or find_audacity():
        return []
    value = noted_value(notes.read_bytes())
    # Audacity's own default needs no entry.
    raw = None if value == DEFAULT else escape_setting(value)
    write_text(profile.settings, set_value(text, section, key, raw))
    return ["Restored your export command, which a crash had left changed."]


def installed_path(queue: JobQueue) -> Path:
    """The file that lists what was installed."""
    return queue.folder / "installed.json"


def _restored(text: str, installed: _Installed) -> str:
    for place, former in installed.former.items():
        section, _, key = place.partition("/")
        # A value that the user or a newer Audacity has set since then stays.
        if get_value(text, section, key) == installed.set.get(place):
            text = set_value(text, section, key, former)
    return text


def _read_installed(queue: JobQueue) -> _Installed:
    try:
        return parse_json_as(_Installed, installed_path(queue).read_bytes())
    except (OSError, ValueError):
        return _Installed()

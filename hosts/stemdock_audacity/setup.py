"""Installing into Audacity and taking it away again.

What was changed is written down beside the requests, and `uninstall` undoes exactly that.
"""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Any, Final

from stemdock import parse_json
from stemdock_audacity.errors import InstallError, RunningError
from stemdock_audacity.folders import MODULE, PLUGIN_FILES, Profile, module_time
from stemdock_audacity.nyquist_text import plugin_texts
from stemdock_audacity.preference import DEFAULT, MARKER, PREFERENCE, escape_setting, noted_value
from stemdock_audacity.processes import find_audacity
from stemdock_audacity.settings import get_value, set_value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock import ModelEntry
    from stemdock_audacity.spool import Spool

_RECORD: Final = "installed.json"
_BACKUP: Final = "audacity.cfg.before-stemdock"


def install(profile: Profile, spool: Spool, models: Sequence[ModelEntry]) -> list[str]:
    """Switches the scripting module on and copies the plug-in.

    May be repeated, to bring new models into the dialog; that much works while Audacity runs.

    Args:
        profile: Where Audacity is.
        spool: Where requests are going to lie.
        models: Those that the dialog offers.

    Returns:
        What was done, a sentence each.

    Raises:
        RunningError: The settings have to change, and Audacity runs.
        InstallError: There is no model, or a file cannot be written.
    """
    if not models:
        raise InstallError("no model is installed", remedy="Install Stemdock again, or export one.")
    try:
        done = [*mend_settings(profile, spool), *_switch_on(profile, spool)]
        spool.prepare()
        done += _write_launcher(spool)
        done += _write_plugins(profile, spool, models)
    except OSError as error:
        raise InstallError(f"{error.filename}: {error.strerror}", remedy="Check its permissions.") from error
    return done


def uninstall(profile: Profile, spool: Spool) -> list[str]:
    """Undoes what `install` did.

    Returns:
        What was done, a sentence each.

    Raises:
        RunningError: The settings have to change back, and Audacity runs.
    """
    record = _read_record(spool)
    done = mend_settings(profile, spool)
    text = _read(profile.settings)
    restored = _restored(text, record)
    if restored != text:
        if find_audacity():
            raise RunningError
        if record.get("made_settings") and not restored.strip():
            profile.settings.unlink()
        else:
            _write(profile.settings, restored)
        done.append(f"Put the settings in {profile.settings} back.")
    (profile.settings.with_name(_BACKUP)).unlink(missing_ok=True)
    for name in PLUGIN_FILES:
        path = profile.plugins / name
        if path.exists():
            path.unlink()
            done.append(f"Removed {path}.")
    for path in (_launcher(spool), spool.folder / _RECORD):
        if path.exists():
            path.unlink()
            done.append(f"Removed {path}.")
    return done


def mend_settings(profile: Profile, spool: Spool) -> list[str]:
    """Puts the user's export command back if Audacity died while the plug-in had borrowed it.

    Returns:
        What was done, a sentence if anything; nothing is as long as Audacity runs.
    """
    section, _, key = PREFERENCE.partition("/")
    text = _read(profile.settings)
    notes = spool.inbox / "preference.txt"
    if MARKER not in (get_value(text, section, key) or "") or not notes.exists() or find_audacity():
        return []
    value = noted_value(notes.read_bytes())
    # Audacity's own default needs no entry.
    raw = None if value == DEFAULT else escape_setting(value)
    _write(profile.settings, set_value(text, section, key, raw))
    return ["Put your export command back, which a crash had left to Stemdock."]


def _switch_on(profile: Profile, spool: Spool) -> list[str]:
    wanted = {("Module", MODULE): "1"}
    if profile.module:
        wanted["ModulePath", MODULE] = escape_setting(str(profile.module))
        wanted["ModuleDateTime", MODULE] = module_time(profile.module)
    text = _read(profile.settings)
    changes = {place: value for place, value in wanted.items() if get_value(text, *place) != value}
    if not changes:
        return [f"{MODULE} is switched on already."]
    if find_audacity():
        raise RunningError
    record = _read_record(spool)
    former = record.setdefault("former", {})
    for section, key in changes:
        former.setdefault(f"{section}/{key}", get_value(text, section, key))
    record.setdefault("made_settings", not profile.settings.exists())
    record["set"] = {**record.get("set", {}), **{"/".join(place): value for place, value in wanted.items()}}
    spool.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (spool.folder / _RECORD).write_text(json.dumps(record, indent=1), "utf-8")
    done = []
    if profile.settings.exists():
        backup = profile.settings.with_name(_BACKUP)
        if not backup.exists():
            _write(backup, text)
            done.append(f"Saved a copy of the settings as {backup}.")
    for place, value in changes.items():
        text = set_value(text, *place, value)
    profile.settings.parent.mkdir(parents=True, exist_ok=True)
    _write(profile.settings, text)
    return [*done, f"Switched {MODULE} on in {profile.settings}."]


def _restored(text: str, record: dict[str, Any]) -> str:
    for place, former in record.get("former", {}).items():
        section, _, key = place.partition("/")
        # What the person or a newer Audacity has set since then is not ours to undo.
        if get_value(text, section, key) == record["set"][place]:
            text = set_value(text, section, key, former)
    return text


def _write_launcher(spool: Spool) -> list[str]:
    path = _launcher(spool)
    if sys.platform == "win32":
        _write(path, f'@"{sys.executable}" -m stemdock_audacity.launcher\r\n')
    else:
        # Bundled Audacitys point the loader at their own libraries, which are not Python's.
        unset = "unset LD_LIBRARY_PATH DYLD_LIBRARY_PATH PYTHONHOME PYTHONPATH"
        command = f"exec {shlex.quote(sys.executable)} -m stemdock_audacity.launcher"
        _write(path, f"#!/bin/sh\n{unset}\n{command}\n")
        path.chmod(0o700)
    return []


def _write_plugins(profile: Profile, spool: Spool, models: Sequence[ModelEntry]) -> list[str]:
    profile.plugins.mkdir(parents=True, exist_ok=True)
    done = []
    texts = plugin_texts(
        models,
        folder=f"{spool.folder.as_posix()}/",
        settings=profile.settings.as_posix(),
        program=_launcher(spool).as_posix(),
        marker=MARKER,
    )
    for name, text in texts.items():
        _write(profile.plugins / name, text)
        done.append(f"Installed {profile.plugins / name}.")
    return done


def _launcher(spool: Spool) -> Path:
    return spool.folder / (f"{MARKER}.cmd" if sys.platform == "win32" else MARKER)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(text.encode("utf-8", "surrogateescape"))
    part.replace(path)


def _read_record(spool: Spool) -> dict[str, Any]:
    try:
        record: dict[str, Any] = parse_json((spool.folder / _RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return record

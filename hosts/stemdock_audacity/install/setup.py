"""Installing Stemdock into Audacity and uninstalling it."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Final

from stemdock import make_own_folder
from stemdock_audacity.capture.preference import MARKER
from stemdock_audacity.errors import InstallError
from stemdock_audacity.install.settings_changes import (
    installed_path,
    restore_export_command,
    restore_settings,
    switch_on_module,
)
from stemdock_audacity.nyquist.texts import plugin_texts
from stemdock_audacity.profile.folders import PLUGIN_FILES, Profile
from stemdock_audacity.profile.text_files import write_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock import ModelEntry
    from stemdock_audacity.jobs.queue import JobQueue


_PROGRAM_MODE: Final = 0o700
_SCRIPT_MODE: Final = 0o644
"""Audacity runs the scripts, so only this user may change them, whatever the umask is."""


def install(profile: Profile, queue: JobQueue, models: Sequence[ModelEntry]) -> list[str]:
    """Switches the scripting module on and installs the plug-in.

    Running it again adds new models to the dialog; that works while Audacity is running.

    Args:
        profile: Where Audacity is.
        queue: Where requests will be kept.
        models: The models in the dialog.

    Returns:
        What was done, one sentence each.

    Raises:
        RunningError: The settings must change, and Audacity is running.
        QueueFolderError: Others can change what is in the queue, or it cannot be created.
        InstallError: No model is installed, or a file cannot be written.
    """
    if not models:
        raise InstallError("no model is installed", remedy="Install one: plugin-cli models pull 2stems")
    try:
        queue.prepare()
        done = [*restore_export_command(profile, queue), *switch_on_module(profile, queue)]
        _write_launcher(queue)
        done += _write_plugins(profile, queue, models)
    except OSError as error:
        raise InstallError(
            f"{error.filename} cannot be written ({error.strerror})",
            remedy="Check the permissions of its folder and the free disk space, and try again.",
        ) from error
    return done


def uninstall(profile: Profile, queue: JobQueue) -> list[str]:
    """Undoes what `install` did.

    Returns:
        What was done, one sentence each.

    Raises:
        RunningError: The settings must change, and Audacity is running.
    """
    done = restore_settings(profile, queue)
    for path in (*(profile.plugins / name for name in PLUGIN_FILES), _launcher(queue), installed_path(queue)):
        if path.exists():
            path.unlink()
            done.append(f"Removed {path}.")
    return done


def _write_launcher(queue: JobQueue) -> None:
    path = _launcher(queue)
    if sys.platform == "win32":
        write_text(path, f'@"{sys.executable}" -m stemdock_audacity.launcher\r\n', mode=_PROGRAM_MODE)
    else:
        # Bundled versions of Audacity make programs load Audacity's libraries instead of Python's.
        unset = "unset LD_LIBRARY_PATH DYLD_LIBRARY_PATH PYTHONHOME PYTHONPATH"
        command = f"exec {shlex.quote(sys.executable)} -m stemdock_audacity.launcher"
        write_text(path, f"#!/bin/sh\n{unset}\n{command}\n", mode=_PROGRAM_MODE)
        path.chmod(_PROGRAM_MODE)


def _write_plugins(profile: Profile, queue: JobQueue, models: Sequence[ModelEntry]) -> list[str]:
    make_own_folder(profile.plugins)
    done = []
    texts = plugin_texts(
        models,
        folder=f"{queue.folder.as_posix()}/",
        settings=profile.settings.as_posix(),
        program=_launcher(queue).as_posix(),
        marker=MARKER,
    )
    for name, text in texts.items():
        write_text(profile.plugins / name, text, mode=_SCRIPT_MODE)
        done.append(f"Installed {profile.plugins / name}.")
    return done


def _launcher(queue: JobQueue) -> Path:
    return queue.folder / (f"{MARKER}.cmd" if sys.platform == "win32" else MARKER)

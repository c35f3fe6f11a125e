"""Installing Stemdock into Audacity and uninstalling it."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from stemdock_audacity.capture.preference import MARKER
from stemdock_audacity.errors import InstallError
from stemdock_audacity.install.installed import installation, launcher_path
from stemdock_audacity.install.settings_changes import restoring, switching_on
from stemdock_audacity.nyquist.languages import language_of, translations
from stemdock_audacity.nyquist.texts import plugin_texts
from stemdock_audacity.profile.text_files import as_bytes
from stemdock_hostkit.install.plan import PROGRAM_MODE, OwnFile
from stemdock_hostkit.worker.starting import RUN_MODULE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stemdock import ModelEntry
    from stemdock_audacity.jobs.queue import JobQueue
    from stemdock_audacity.profile.folders import Profile
    from stemdock_hostkit.install.plan import Change


def install(
    profile: Profile, queue: JobQueue, models: Sequence[ModelEntry], *, dry_run: bool = False
) -> list[Change]:
    """Switches the scripting module on and installs the plug-in.

    Running it again adds new models to the dialog; that works while Audacity is running.

    Args:
        profile: Where Audacity is.
        queue: Where requests will be kept.
        models: The models in the dialog.
        dry_run: Whether to change nothing.

    Returns:
        The changes; none if everything is up to date.

    Raises:
        RunningError: The settings must change, and Audacity is running.
        QueueFolderError: Others can change what is in the queue, or it cannot be created.
        InstallError: No model is installed, or the settings are damaged.
        HostError: As `Installation` and `Installation.install` do.
    """
    if not models:
        raise InstallError("no model is installed", remedy="Install one: plugin-cli models pull 2stems")
    if not dry_run:
        queue.prepare()
    present = installation(profile, queue)
    files = [_launcher(queue), *_plugins(profile, queue, models)]
    return present.install(files, switching_on(profile, queue), dry_run=dry_run)


def uninstall(profile: Profile, queue: JobQueue, *, dry_run: bool = False) -> list[Change]:
    """Undoes what `install` did.

    The arguments and the result are those of `install`.

    Raises:
        RunningError: The settings must change, and Audacity is running.
        HostError: As `Installation` and `Installation.uninstall` do.
    """
    present = installation(profile, queue)
    edits = restoring(profile, queue, present.edit_record(profile.settings))
    return present.uninstall(edits, dry_run=dry_run)


def _launcher(queue: JobQueue) -> OwnFile:
    module = " ".join((*RUN_MODULE, "stemdock_audacity.launcher"))
    if sys.platform == "win32":
        # Without the first line, Windows reads the path in the code page of consoles.
        program = sys.executable.replace("%", "%%")
        text = f'@chcp 65001 >nul\r\n@"{program}" {module}\r\n'
    else:
        # Bundled versions of Audacity make programs load Audacity's libraries instead of Python's.
        unset = "unset LD_LIBRARY_PATH DYLD_LIBRARY_PATH PYTHONHOME PYTHONPATH"
        command = f"exec {shlex.quote(sys.executable)} {module}"
        text = f"#!/bin/sh\n{unset}\n{command}\n"
    return OwnFile(path=launcher_path(queue), content=as_bytes(text), mode=PROGRAM_MODE)


def _plugins(profile: Profile, queue: JobQueue, models: Sequence[ModelEntry]) -> Iterator[OwnFile]:
    texts = plugin_texts(
        models,
        folder=f"{queue.folder.as_posix()}/",
        settings=profile.settings.as_posix(),
        program=launcher_path(queue).as_posix(),
        marker=MARKER,
        translated=translations(language_of(profile)),
    )
    for name, text in texts.items():
        yield OwnFile(path=profile.plugins / name, content=as_bytes(text))

"""Changes to Audacity's settings file, and their reversal, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock_audacity.capture.preference import DEFAULT, MARKER, PREFERENCE, escape_setting, noted_value
from stemdock_audacity.errors import HOST, InstallError, RunningError
from stemdock_audacity.link.processes import find_audacity
from stemdock_audacity.profile.folders import MODULE, module_time
from stemdock_audacity.profile.settings import get_value, set_value
from stemdock_audacity.profile.text_files import as_bytes, as_text, read_text, write_text
from stemdock_hostkit.install.plan import Edit
from stemdock_hostkit.install.transaction import content_of

if TYPE_CHECKING:
    from stemdock_audacity.jobs.queue import JobQueue
    from stemdock_audacity.profile.folders import Profile
    from stemdock_hostkit.install.record import EditRecord

BACKUP: Final = "audacity.cfg.before-stemdock"


def switching_on(profile: Profile, queue: JobQueue) -> list[Edit]:
    """The edit that switches mod-script-pipe on; none if it is on.

    Also restores the user's export command, like `with_own_command`.

    Raises:
        InstallError: The settings are damaged.
        RunningError: The settings must change, and Audacity is running.
    """
    wanted = {("Module", MODULE): "1"}
    if profile.module:
        wanted["ModulePath", MODULE] = escape_setting(str(profile.module))
        wanted["ModuleDateTime", MODULE] = module_time(profile.module)
    old = content_of(HOST, profile.settings)
    text = with_own_command(as_text(old or b""), queue)
    if "\0" in text:
        raise InstallError(
            f"{profile.settings} is damaged: it contains null characters",
            remedy="Rename this file. Audacity writes a new one at its next start.",
        )
    changes = {place: value for place, value in wanted.items() if get_value(text, *place) != value}
    if changes and find_audacity():
        raise RunningError
    before = {f"{section}/{key}": get_value(text, section, key) for section, key in changes}
    for place, value in changes.items():
        text = set_value(text, *place, value)
    if as_bytes(text) == (old or b""):
        return []
    return [
        Edit(
            path=profile.settings,
            old=old,
            new=as_bytes(text),
            before=before,
            after={"/".join(place): value for place, value in wanted.items()} if changes else {},
            backup=profile.settings.with_name(BACKUP) if changes else None,
        )
    ]


def restoring(profile: Profile, queue: JobQueue, known: EditRecord) -> list[Edit]:
    """The edit that restores the values from before the installation; later changes by others stay.

    Also restores the user's export command, like `with_own_command`.

    Args:
        profile: Where Audacity is.
        queue: Where the plug-in keeps its notes.
        known: What installations changed.

    Raises:
        RunningError: The settings must change, and Audacity is running.
    """
    old = content_of(HOST, profile.settings)
    text = restored = with_own_command(as_text(old or b""), queue)
    for place, former in known.before.items():
        section, _, key = place.partition("/")
        # A value that the user or a newer Audacity has set since then stays.
        if get_value(restored, section, key) == known.after.get(place):
            restored = set_value(restored, section, key, former)
    if restored != text and find_audacity():
        raise RunningError
    if old is None or as_bytes(restored) == old:
        return []
    new = None if known.created and not restored.strip() else as_bytes(restored)
    return [Edit(path=profile.settings, old=old, new=new)]


def restore_export_command(profile: Profile, queue: JobQueue) -> list[str]:
    """Restores the user's export command after a crash in which the plug-in had replaced it.

    Returns:
        What was done, at most one sentence. Nothing is done while Audacity is running.
    """
    text = read_text(profile.settings)
    restored = with_own_command(text, queue)
    if restored == text:
        return []
    write_text(profile.settings, restored)
    return ["Restored your export command, which a crash had left changed."]


def with_own_command(text: str, queue: JobQueue) -> str:
    """The settings with the user's export command; unchanged while Audacity is running."""
    section, _, key = PREFERENCE.partition("/")
    notes = queue.inbox / "preference.txt"
    if MARKER not in (get_value(text, section, key) or "") or not notes.exists() or find_audacity():
        return text
    value = noted_value(notes.read_bytes())
    # Audacity's own default needs no entry.
    return set_value(text, section, key, None if value == DEFAULT else escape_setting(value))

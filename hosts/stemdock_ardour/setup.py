"""Installs the scripts in Ardour, and uninstalls them completely."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock_ardour import script_list
from stemdock_ardour.errors import HOST, ArdourRunningError, ScriptListError
from stemdock_ardour.tables import line
from stemdock_hostkit.install.installation import Installation
from stemdock_hostkit.install.plan import Edit, OwnFile, Place
from stemdock_hostkit.install.transaction import content_of
from stemdock_hostkit.job.folder import remove_old_jobs
from stemdock_hostkit.worker.starting import RUN_MODULE, background_python

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock_ardour.places import Ardour
    from stemdock_ardour.script_list import Script
    from stemdock_hostkit.install.plan import Change

_SHIPPED: Final = Path(__file__).with_name("lua")
_ACTIONS: Final = ("Stemdock - Separate stems.lua", "Stemdock - Remove stem tracks.lua")
_HOOK: Final = "Stemdock - Place finished stems.lua"
_LIST: Final = "scripts"
"""The edited place in the list of scripts: all of it."""


def install(ardour: Ardour, *, running: bool, dry_run: bool = False) -> list[Change]:
    """Installs or updates the scripts.

    Args:
        ardour: Where.
        running: Whether Ardour is running.
        dry_run: Whether to change nothing.

    Returns:
        The changes; none if everything is up to date.

    Raises:
        ArdourRunningError: The list of scripts must change, and Ardour is running.
        ScriptListError: The list has an unknown form, or no free button.
        HostError: As `Installation` and `Installation.install` do.
    """
    present = _installation(ardour)
    edits = _adding(present, ardour)
    if edits and running:
        raise ArdourRunningError
    changes = present.install(list(_files(ardour)), edits, dry_run=dry_run)
    if not dry_run:
        remove_old_jobs(ardour.jobs)
    return changes


def uninstall(ardour: Ardour, *, running: bool, dry_run: bool = False) -> list[Change]:
    """Removes everything that was installed, except files that were changed since then.

    The arguments, the result and the errors are those of `install`.
    """
    present = _installation(ardour)
    edits = _removing(present, ardour)
    if edits and running:
        raise ArdourRunningError
    return present.uninstall(edits, trees=[ardour.jobs, ardour.choices], dry_run=dry_run)


def is_listed(ardour: Ardour) -> bool:
    """Whether Ardour's list has the scripts of this Stemdock.

    Raises:
        ScriptListError: The list has an unknown form.
    """
    return not _adding(_installation(ardour), ardour)


def _installation(ardour: Ardour) -> Installation:
    return Installation(Place(host=HOST, record=ardour.data / "installed.json", base=ardour.folder))


def _files(ardour: Ardour) -> Iterator[OwnFile]:
    for name in (*_ACTIONS, _HOOK):
        yield OwnFile(path=ardour.scripts / name, content=_source(ardour, name).encode())
    for path in sorted((_SHIPPED / "stemdock").glob("*.lua")):
        yield OwnFile(path=ardour.data / path.name, content=path.read_bytes())
    program = (background_python(), *RUN_MODULE, "stemdock", "ardour")
    commands = "".join(line(name, *program, name) for name in ("work", "models"))
    yield OwnFile(path=ardour.data / "commands.tsv", content=commands.encode())


def _source(ardour: Ardour, name: str) -> str:
    """A script with the folder of this installation."""
    folder = "[==[" + ardour.data.as_posix() + "]==]"
    excuse = (
        'LuaDialog.Message ("Stemdock in Ardour", (os and io and loadfile)\n'
        '      and "Stemdock\'s script has gone: " .. folder .. "\\n\\n'
        'Close Ardour, and run in a terminal: plugin-cli ardour install"\n'
        '      or "Ardour does not let scripts start programs or read files.\\n\\n'
        'Close Ardour, and run in a terminal: plugin-cli ardour doctor\\nIt says which setting to change.",\n'
        "    LuaDialog.MessageType.Warning, LuaDialog.ButtonType.Close):run ()"
    )
    return (_SHIPPED / name).read_text("utf-8").replace("@FOLDER@", folder).replace("@EXCUSE@", excuse)


def _script(ardour: Ardour, name: str) -> Script:
    source = _source(ardour, name)
    found = re.search(r'name = "([^"]*)"', source)
    assert found  # noqa: S101  each of our scripts has a name
    return script_list.Script(name=found[1], source=source)


def _names(ardour: Ardour) -> list[str]:
    return [_script(ardour, name).name for name in (*_ACTIONS, _HOOK)]


def _adding(present: Installation, ardour: Ardour) -> list[Edit]:
    path = ardour.script_list
    old = content_of(HOST, path)
    actions, hook = [_script(ardour, name) for name in _ACTIONS], _script(ardour, _HOOK)
    try:
        if old is not None and script_list.has_scripts(old, [*actions, hook]):
            return []
        base = script_list.without_scripts(script_list.EMPTY if old is None else old, _names(ardour))
        new = script_list.with_scripts(base, actions, hook, ardour.timer_bits)
    except script_list.UnknownFormError as error:
        raise _unknown(path) from error
    except script_list.NoFreeButtonError as error:
        remedy = "In Ardour, remove the script of a button with Edit > Lua Scripts > Script Manager."
        raise ScriptListError(path, "two free buttons are needed", remedy=remedy) from error
    # Only the first state can be restored to the byte.
    before = present.edit_record(path).before.get(_LIST) or (base.decode("latin-1") if old else None)
    return [Edit(path=path, old=old, new=new, before={_LIST: before}, after={_LIST: new.decode("latin-1")})]


def _removing(present: Installation, ardour: Ardour) -> list[Edit]:
    path = ardour.script_list
    old = content_of(HOST, path)
    if old is None:
        return []
    known = present.edit_record(path)
    before = known.before.get(_LIST)
    if old == (known.after.get(_LIST) or "").encode("latin-1"):
        new = before.encode("latin-1") if before is not None else None
    else:
        try:
            kept = script_list.without_scripts(old, _names(ardour))
        except script_list.UnknownFormError as error:
            raise _unknown(path) from error
        new = None if known.created and kept == script_list.EMPTY else kept
    return [] if new == old else [Edit(path=path, old=old, new=new)]


def _unknown(path: Path) -> ScriptListError:
    remedy = "Rename the file, start and close Ardour, and run the command again."
    return ScriptListError(path, "is not a list of scripts as Ardour writes it", remedy=remedy)

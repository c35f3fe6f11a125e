"""The user's export command, which the plug-in replaces for a moment and restores.

Audacity gives a plug-in this value with every character outside ASCII replaced. Its settings file has
the full value, which may be older. So the plug-in saves both, and this module chooses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from stemdock_audacity.errors import ReplyError
from stemdock_audacity.link.protocol import command_line

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_audacity.link.pipe import Pipe

PREFERENCE: Final = "FileFormats/ExternalProgramExportCommand"
DEFAULT: Final = 'lame - "%f"'
"""Audacity's own default."""
MARKER: Final = "stemdock-launch"
"""Identifies Stemdock's own export command."""
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t"}


def noted_value(notes: bytes) -> str:
    """The user's value.

    Args:
        notes: `preference.txt`: "memory", a blank and the value from Audacity; "disk", a blank and the
            value from the settings file.
    """
    values = dict(line.partition(" ")[::2] for line in notes.decode("utf-8", "replace").split("\n"))
    memory, disk = values.get("memory", ""), unescape_setting(values.get("disk", ""))
    return disk if is_alike(memory, disk) else memory


def restoring_command(value: str) -> str:
    """The command that restores the user's value.

    Raises:
        ReplyError: The value does not fit into a command, so it was not saved correctly.
    """
    try:
        return command_line("SetPreference", Name=PREFERENCE, Value=value)
    except ValueError as error:
        raise ReplyError(f"the saved export command is invalid ({error})", value) from error


def restore_preference(pipe: Pipe, notes: Path) -> None:
    """Restores the user's value over the pipe if the plug-in could not restore it exactly.

    Args:
        pipe: The connection to Audacity.
        notes: `preference.txt`.

    Raises:
        HostUnreachableError: Audacity closed or does not answer.
        ReplyError: The notes are damaged.
    """
    if not notes.exists():
        return
    value = noted_value(notes.read_bytes())
    restoring_command(value)
    if value.isascii():
        return  # the plug-in can restore it exactly
    present = pipe.run("GetPreference", Name=PREFERENCE).text
    if MARKER in present or (present != value and is_alike(present, value)):
        pipe.run("SetPreference", Name=PREFERENCE, Value=value)


def unescape_setting(raw: str) -> str:
    """Decodes a value from audacity.cfg as Audacity does."""
    if len(raw) > 1 and raw.startswith('"') and raw.endswith('"'):
        raw = raw[1:-1]
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), raw)


def escape_setting(value: str) -> str:
    """Encodes a value for audacity.cfg as Audacity does."""
    escaped = value.replace("\\", "\\\\")
    if not value.startswith((" ", '"')):
        return escaped
    return '"' + escaped.replace('"', '\\"') + '"'


def is_alike(memory: str, disk: str) -> bool:
    """Whether two texts differ only where the second has a character outside ASCII."""
    if len(memory) != len(disk):
        return False
    return all(a == b or not b.isascii() for a, b in zip(memory, disk, strict=True))

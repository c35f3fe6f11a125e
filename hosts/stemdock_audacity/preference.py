"""The user's own export command, which the plug-in borrows for a moment and puts back.

Audacity tells a plug-in the value with every letter outside ASCII replaced; its settings file has
it whole, but may be older. So the plug-in notes both and this module chooses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from stemdock_audacity.errors import ReplyError
from stemdock_audacity.protocol import command_line

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_audacity.pipe import Pipe

PREFERENCE: Final = "FileFormats/ExternalProgramExportCommand"
DEFAULT: Final = 'lame - "%f"'
"""What Audacity takes if there is none."""
MARKER: Final = "stemdock-launch"
"""In our own command, and nobody else's."""
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t"}


def noted_value(notes: bytes) -> str:
    """The user's value.

    Args:
        notes: `preference.txt`: "memory", a blank and what Audacity said; "disk", a blank and the
            value as the settings file has it.
    """
    values = dict(line.partition(" ")[::2] for line in notes.decode("utf-8", "replace").split("\n"))
    memory, disk = values.get("memory", ""), unescape_setting(values.get("disk", ""))
    return disk if is_alike(memory, disk) else memory


def restoring_command(value: str) -> str:
    """The command that puts the user's value back.

    Raises:
        ReplyError: No command can carry it; then it was not noted as Audacity has it.
    """
    try:
        return command_line("SetPreference", Name=PREFERENCE, Value=value)
    except ValueError as error:
        raise ReplyError(f"an export command that cannot be ({error})", value) from error


def mend_preference(pipe: Pipe, notes: Path) -> None:
    """Puts the user's value back over the pipe if the plug-in could not, or not to the letter.

    Args:
        pipe: To Audacity.
        notes: `preference.txt`.

    Raises:
        HostUnreachableError: Audacity ended or does not answer.
        ReplyError: The notes are damaged.
    """
    if not notes.exists():
        return
    value = noted_value(notes.read_bytes())
    restoring_command(value)
    present = pipe.run("GetPreference", Name=PREFERENCE).text
    if MARKER in present or (present != value and is_alike(present, value)):
        pipe.run("SetPreference", Name=PREFERENCE, Value=value)


def unescape_setting(raw: str) -> str:
    """A value as it stands in audacity.cfg, read as Audacity reads it."""
    if len(raw) > 1 and raw.startswith('"') and raw.endswith('"'):
        raw = raw[1:-1]
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), raw)


def escape_setting(value: str) -> str:
    """A value as Audacity writes it into audacity.cfg."""
    escaped = value.replace("\\", "\\\\")
    if not value.startswith((" ", '"')):
        return escaped
    return '"' + escaped.replace('"', '\\"') + '"'


def is_alike(memory: str, disk: str) -> bool:
    """Whether two texts differ only where the first could not tell a letter."""
    if len(memory) != len(disk):
        return False
    return all(a == b or not b.isascii() for a, b in zip(memory, disk, strict=True))

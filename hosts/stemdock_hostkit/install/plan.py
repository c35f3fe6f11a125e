"""An installation as values: files of our own, edits of the editor's files, and the changes made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from stemdock_hostkit.install.record import Record

SCRIPT_MODE: Final = 0o644
"""The editor runs the scripts, so only this user may change them, whatever the umask is."""
PROGRAM_MODE: Final = 0o700

Action = Literal["write", "change", "remove", "keep"]
""""keep" stands for a file that was changed by hand, and so is not removed."""

_DONE: Final = {"keep": "keep (was changed)"}
_PLANNED: Final = {"keep": "would keep (was changed)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a host keeps what belongs to its installation."""

    host: str
    record: Path
    base: Path
    """The folder to which names in the record are relative."""
    adopt: Callable[[bytes | None], Record] | None = None
    """Reads the record of an older Stemdock, as in `read_record`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFile:
    """A file that belongs to Stemdock."""

    path: Path
    content: bytes
    mode: int = SCRIPT_MODE
    """The most permissions that it gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change to a file that belongs to the editor."""

    path: Path
    old: bytes | None
    """The content from which `new` was made; None if there is no file."""
    new: bytes | None
    """None removes the file."""
    before: Mapping[str, str | None] = field(default_factory=dict)
    """What each edited place contained, under the host's name for the place; None if it was missing."""
    after: Mapping[str, str | None] = field(default_factory=dict)
    """What each edited place contains now."""
    backup: Path | None = None
    """Where to keep a copy of `old`, unless a file is already there."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change to one file."""

    action: Action
    path: Path

    def line(self, *, dry_run: bool = False) -> str:
        """One line for the user.

        Args:
            dry_run: Whether the change was planned only.
        """
        if dry_run:
            return f"{_PLANNED.get(self.action, f'would {self.action}')} {self.path}"
        return f"{_DONE.get(self.action, self.action)}: {self.path}"

"""What came of a request, and how the user hears of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock import printable
from stemdock_hostkit.window.values import Ending

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_NAME: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """Stems that are done."""

    names: Sequence[str]
    """Of the new tracks."""
    below: str = ""
    """Name of the track below which they are, or ""."""
    note: str = ""
    """For the user, or ""."""
    is_waiting: bool = False
    """Whether Audacity has no pipe, so that the user has to bring the stems in."""

    @property
    def place(self) -> str:
        """Where the new tracks are, as a sentence."""
        count = "1 stem" if len(self.names) == 1 else f"{len(self.names)} stems"
        name = printable(self.below)
        if len(name) > _LONGEST_NAME:
            name = f"{name[: _LONGEST_NAME - 1]}\N{HORIZONTAL ELLIPSIS}"
        quoted = f"\N{LEFT DOUBLE QUOTATION MARK}{name}\N{RIGHT DOUBLE QUOTATION MARK}"
        return f"{count} added below {quoted}." if name else f"{count} added."

    def ending(self) -> Ending:
        """What the window shows once they are in the project."""
        remark = f"{self.note[:1].upper()}{self.note[1:]}. " if self.note else ""
        next_step = f"{remark}To remove them, choose Edit > Undo in Audacity."
        return Ending(kind="done", text=self.place, next_step=next_step)

"""What is wrong with a data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that must be corrected before training can start."""

    path: Path
    """The file or folder."""
    reason: str
    """What is wrong with it."""
    remedy: str
    """What to do now, one sentence."""

"""Songs with known stems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """A mixture and its stems."""

    name: str
    mixture: Path
    stems: Mapping[str, tuple[Path, ...]]
    """The files of each stem, which add up to it. Usually one."""
    duration: float | None = None
    """Seconds, by the list of songs; None if there is no list."""

    def files(self) -> tuple[Path, ...]:
        """The mixture and the files of all stems."""
        return (self.mixture, *(path for paths in self.stems.values() for path in paths))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """The songs of a training."""

    training: tuple[Song, ...]
    validation: tuple[Song, ...]
    """May be empty. Their loss is measured, and the first one is heard in early looks."""

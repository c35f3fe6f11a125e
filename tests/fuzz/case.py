"""Targets of the fuzz run, its cases, and their folders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Folders of one case."""

    root: Path
    """Contains only these folders. Files elsewhere in it are harm."""

    @property
    def input(self) -> Path:
        """The files of the case."""
        return self.root / "input"

    @property
    def output(self) -> Path:
        """For results; must be empty or missing after a refusal."""
        return self.root / "output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A part of Stemdock that reads untrusted input."""

    build: Callable[[Path], None]
    """Writes intact inputs into an empty folder, once a run."""
    damage: Callable[[Random, Path, Path], None]
    """Takes a generator and the folder of intact inputs; writes damaged inputs into the third argument."""
    run: Callable[[Place], None]
    """Reads the case's input; may raise only a StemdockError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case to generate, or one that was kept."""

    target: str
    seed: int
    number: int
    kept: Path | None = None
    """Folder of its input files, if it was kept."""

    @property
    def name(self) -> str:
        """A unique name."""
        return (
            f"{self.target}-{self.seed}-{self.number}"
            if self.kept is None
            else f"{self.target}/{self.kept.name}"
        )

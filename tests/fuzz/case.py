"""What a target of the fuzz run is, and where one of its cases happens."""

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
    """Holds all of them and nothing else; anything that appears elsewhere in it was not asked for."""

    @property
    def input(self) -> Path:
        """The files of the case."""
        return self.root / "input"

    @property
    def output(self) -> Path:
        """Where results go; must be empty or missing after a refusal."""
        return self.root / "output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A part of Stemdock that reads what others wrote."""

    weight: int
    """Its share of the cases, relative to the others'."""
    build: Callable[[Path], None]
    """Writes intact inputs into an empty folder, once a run."""
    damage: Callable[[Random, Path, Path], None]
    """Given a generator and the folder of intact inputs, writes damaged ones into the third argument."""
    run: Callable[[Place], None]
    """Reads the case's input; may raise a StemdockError, and nothing else."""

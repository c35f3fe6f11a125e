"""What workers of an engine have in common with the process that started them, checked in each of them."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

from stemdock.errors import StemdockError
from stemdock.files.staging import staging
from stemdock.lib.locations import Location
from stemdock.lib.paths import exists

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from threading import Event

    from stemdock.batch.songs import Song
    from stemdock.batch.working import Recipe, Work
    from stemdock.lib.locations import Place

_PATIENCE: Final = 30.0
"""Seconds until a network drive shows a new folder to another machine."""
_LOOK: Final = 0.5
"""Seconds between two looks."""
_DISTRIBUTION: Final = "stemdock"


class PlaceNotSharedError(StemdockError):
    """A worker's machine does not have a folder or a file of the first machine.

    Attributes:
        path: The folder or file.
        machine: The worker's.
    """

    def __init__(self, path: Path, machine: str) -> None:
        super().__init__(
            f"{path}: the worker on {machine} does not see it",
            remedy="Use folders that all machines see under the same path, such as a network drive, or "
            "addresses such as s3://.",
        )
        self.path = path
        self.machine = machine


class OtherVersionError(StemdockError):
    """A worker's machine has another version of Stemdock.

    Attributes:
        machine: The worker's.
    """

    def __init__(self, machine: str, theirs: str, ours: str) -> None:
        super().__init__(
            f"the worker on {machine} has Stemdock {theirs}, not {ours}",
            remedy="Install the same version on all machines.",
        )
        self.machine = machine


class OtherModelError(StemdockError):
    """A worker's machine has another model of the same name.

    Attributes:
        model: Its name.
        machine: The worker's.
    """

    def __init__(self, model: str, machine: str) -> None:
        super().__init__(
            f"the worker on {machine} has another model {model} than the machine that started the run",
            remedy="Install the same model on all machines.",
        )
        self.model = model
        self.machine = machine


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedRecipe:
    """Passes a recipe to a worker that is perhaps on another machine."""

    recipe: Recipe
    witnesses: Sequence[Path]
    """Absolute paths that the worker must see."""
    folder: Path = field(default_factory=Path.cwd)
    """The working folder, which relative paths start from."""
    version: str = field(default_factory=lambda: version(_DISTRIBUTION))
    """Of Stemdock."""

    def open(self, cancel: Event) -> Work:
        """Checks the machine, and loads the model.

        Raises:
            OtherVersionError: It has another version of Stemdock.
            PlaceNotSharedError: It does not see the same files.
            OtherModelError: As of `SeparationRecipe`.
            StemdockError: The model cannot be loaded.
        """
        machine = socket.gethostname()
        if version(_DISTRIBUTION) != self.version:
            raise OtherVersionError(machine, version(_DISTRIBUTION), self.version)
        end = monotonic() + _PATIENCE
        for path in self.witnesses:
            while not exists(path):
                if cancel.is_set() or monotonic() > end:
                    raise PlaceNotSharedError(path, machine)
                sleep(_LOOK)
        with suppress(OSError):  # only relative paths need it, and then it is a witness
            os.chdir(self.folder)
        return self.recipe.open(cancel)


@contextmanager
def shared(root: Place, songs: Sequence[Song]) -> Iterator[tuple[Path, ...]]:
    """What each worker must see: a hidden folder in the output folder, the first song, the working folder.

    Args:
        root: The output folder.
        songs: All songs.

    Raises:
        OutputError: The output folder cannot be written to.
    """
    paths = (song.path for song in songs if isinstance(song.path, Path) and not song.fault)
    first = next(paths, None)
    witnesses = [] if first is None else [first.absolute()]
    if not all(place.is_absolute() for place in chain([root, first], paths) if isinstance(place, Path)):
        witnesses.append(Path.cwd())
    if isinstance(root, Location):
        yield tuple(witnesses)
        return
    with staging(root) as folder:
        yield (folder.absolute(), *witnesses)
